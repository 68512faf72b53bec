"""A story of a fault that the node itself tells of: agent, judgement, repair.

A busy node must be left alone until its job ends, a drain of an operator kept, a bad node refused by
the gate, and a fault that is the job's or the file server's must drain nobody.
"""
from dataclasses import dataclass

from simulator.demo.node_faults import FOREIGN_NODE, FOREIGN_REASON
from simulator.demo.story import END_S, LIMIT_S, SETTLE_S, Story

OURS = "rc:"
BUSY_JOB_S = 8
# How long nothing may be drained for it to count as left alone.
QUIET_S = 8.0


@dataclass(frozen=True)
class Ending:
    """How a story must end."""
    drains: bool             # the victim, and only it
    repaired_by: str = ""    # "reboot", "gpu-reset", "replace"; "" = there is nothing to repair
    told: str = ""           # what the node's Extra must have said
    all_nodes: bool = False  # the job runs on all of them


ENDINGS = {
    "xid79": Ending(True, "reboot"),
    "aer-fatal": Ending(True, "replace"),
    "efa-down": Ending(True, "reboot"),
    "row-remap": Ending(True, "gpu-reset"),
    "fs-hang": Ending(False, told="fs:stuck"),
    "job-storm": Ending(False, told="xid:31", all_nodes=True)}


class NodeStory(Story):
    def __init__(self, options, backend, daemon, timeline):
        super().__init__(options, backend, daemon, timeline)
        self.end = ENDINGS[self.fault]
        self.truth = backend.node_faults
        self.drained = set()       # by us
        self.disturbed = None      # what happened to the node under the job
        self.refused = 0           # gates that found the node bad
        self.actions = []          # decisions about the victim, in order
        self.boots = 0
        self.told = set()          # nodes whose Extra had the words
        self.held = False

    # --- the acts ---------------------------------------------------------------

    def play(self):
        self.begin()
        self.strike()
        if self.end.drains:
            self.until(lambda: self.repaired() and self.job_done(), LIMIT_S, "the repair")
            self.until(self.one_holder, END_S, "the old instance's end")
        else:
            self.until(self.all_told, 20, "the agents' words")
            self.until(self.judged, 20, "the daemon's judgement")
            self.settle(QUIET_S)
            if self.fault == "fs-hang":
                self.truth.fs_answers_again()
                self.until(self.all_taken_back, 40, "the agents taking it back")
            self.until(self.job_done, LIMIT_S, "the job's end")
        self.settle(SETTLE_S)
        return self.verdict()

    def begin(self):
        self.look()
        self.old_instance = self.last.living(self.node)[0].id
        self.boots = self.truth.boots(self.node)
        names = ",".join(self.truth.nodes())
        self.job_id = (self.backend.submit(2 * BUSY_JOB_S, names, len(self.truth.nodes()))
                       if self.end.all_nodes else self.backend.submit(BUSY_JOB_S, self.node))
        self.until(lambda: self.last.job and self.last.job.state == "RUNNING", 30, "the job's start")
        if self.end.drains:
            self.truth.foreign_drain()
            self.tell.say("info", f"an operator has drained {FOREIGN_NODE}: {FOREIGN_REASON}")

    # --- looking ----------------------------------------------------------------

    def hear(self, at_ms, row):
        super().hear(at_ms, row)
        if self.fault_ms is None or at_ms < self.fault_ms:
            return
        if "decision" in row and row.get("node") == self.node:
            self.actions.append(row["decision"])
        if row.get("completion") == "gate" and row.get("result") == "unhealthy":
            self.refused += 1
        if row.get("decision") == "slurm.job-hold":
            self.held = True
            self.tell.say("ours", f"slurm.job-hold {row.get('text', '')}", at_ms)
        elif row.get("decision") == "tell" and row.get("node") != self.node:
            self.tell.say("ours", f"tell {row.get('text', '')}", at_ms)

    def compare(self, before, now):
        super().compare(before, now)
        if not self.fault_ms:
            return
        for name, node in now.nodes.items():
            if node.is_out and node.reason.startswith(OURS):
                self.drained.add(name)
        if not self.end.drains:
            for name in self.truth.nodes():
                if name not in self.told and self.end.told in self.truth.extra(name):
                    self.told.add(name)
                    self.tell.say("fact", f"{name} tells: {self.truth.extra(name)}")
        if now.job and now.job.state == "PENDING":
            self.disturbed = "its job was requeued"
        elif now.job and now.job.state == "RUNNING":
            alive = {i.id: i.state for i in now.instances.values()}
            if alive.get(self.old_instance) != "running" or (
                    self.truth.boots(self.node) != self.boots):
                self.disturbed = "the machine was taken from under its job"

    def all_told(self):
        return self.told == set(self.truth.nodes())

    def judged(self):
        """The storm is known as the job's; the file server's trouble is told."""
        return self.held if self.fault == "job-storm" else "heard" in self.stages

    def all_taken_back(self):
        return not any(self.end.told in self.truth.extra(name) for name in self.truth.nodes())

    def repaired(self):
        if not self.end.drains:
            return False
        node = self.last.nodes[self.node]
        return "protected" in self.stages and self.node in self.drained and node.in_service

    # --- judging ----------------------------------------------------------------

    def wrong(self):
        if "heard" not in self.stages:
            yield "the daemon never logged what the agent tells"
        if not self.job_done():
            yield f"the job did not end well: {self.last.job}"
        if self.disturbed:
            yield f"the busy node was not left alone: {self.disturbed}"
        yield from self.wrong_with_the_victim() if self.end.drains else self.wrong_with_the_quiet()

    def wrong_with_the_victim(self):
        foreign = self.last.nodes[FOREIGN_NODE]
        if self.drained != {self.node}:
            yield f"drained were {sorted(self.drained)}, not {self.node} alone"
        if foreign.reason.split(" [")[0] != FOREIGN_REASON or "DRAIN" not in foreign.state:
            yield f"the operator's drain of {FOREIGN_NODE} is gone: {foreign.words()} {foreign.reason}"
        if not self.repaired():
            yield f"the node is {self.last.nodes[self.node].words()}, not in service"
        if not self.one_holder():
            yield f"more than one instance holds the name {self.node}"
        stored = self.backend.evidence()
        if not any(name.endswith(f"-{self.node}/manifest.json") and size
                   for name, size in stored.items()):
            yield f"the evidence is not in S3: {sorted(stored)}"
        yield from getattr(self, "wrong_" + self.end.repaired_by.replace("-", "_"))()

    def wrong_reboot(self):
        if self.last.launched() or self.truth.boots(self.node) == self.boots:
            yield f"{len(self.last.launched())} instances were launched, and none was needed"

    def wrong_gpu_reset(self):
        if self.last.launched() or self.truth.boots(self.node) != self.boots:
            yield "a GPU reset was enough, and the machine was rebooted or replaced"
        if self.truth.resets(self.node) != 1:
            yield f"the GPUs were reset {self.truth.resets(self.node)} times"

    def wrong_replace(self):
        if len(self.last.launched()) != 1 or not self.replacement():
            yield f"{len(self.last.launched())} instances were launched"
        if not self.refused:
            yield "the gate did not refuse the bad host"

    def wrong_with_the_quiet(self):
        if self.drained or self.out:
            yield f"out of service were {sorted(self.drained | self.out)}, and nobody should be"
        if self.last.launched():
            yield f"{len(self.last.launched())} instances were launched"
        if not self.all_told():
            yield f"only {sorted(self.told)} told of it"
        if self.fault == "job-storm":
            if not self.held:
                yield "the daemon did not hold the job's requeue"
            elif self.truth.job_field(self.job_id, "Requeue") != "0":
                yield "the job may still be requeued"
        elif not self.all_taken_back():
            yield "the agents still tell of a file system that answers again"

    def summary(self):
        """The object of --json: drained holds the names."""
        return {**super().summary(), "drained": sorted(self.drained),
                "repaired": bool(self.last) and self.end.drains and self.repaired()}
