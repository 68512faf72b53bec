"""One story: a fault, what the daemon makes of it, and whether it ended well.

Stages come from two sources, the daemon's own log (heard, gate) and the world's
truth (the rest, or earlier than the log); the time of a stage is that of the first
source that shows it.
"""
import time

from simulator.demo.snapshot import Snapshot
from simulator.demo.timeline import now_ms

STAGES = ("heard", "protected", "launched", "registered", "gate", "in_service", "job_done")
WORDS = {
    "heard": "fault heard", "protected": "job protected: no new work for the node",
    "launched": "replacement launched", "registered": "registered: slurm.conf names it",
    "gate": "health gate passed", "in_service": "in service again", "job_done": "job done"}
JOB_S = 12
# What is left of two minutes when the world is up; a story that needs more has failed.
LIMIT_S = 100.0
# Until the old instance must be seen ending after that.
END_S = 15.0
# How long nothing more may happen before the story counts as ended.
SETTLE_S = 3.0
# The event that the daemon logs when the message of the fault has been read.
HEARD = {
    "terminate": "ec2-state-change", "capacity": "ec2-state-change", "spot": "spot-interruption",
    "retirement": "aws-health", "status-check": "cloudwatch-alarm",
    "rebalance": "rebalance-recommendation"}
NODE_HEARD = "node-faults"
# Decisions that are bookkeeping, not steps that a person wants to follow.
QUIET = {"incident.put", "message.delete", "message.quarantine", "lease"}
# Faults that take the instance from under the job.
LOST = {"terminate", "capacity"}


class Story:
    def __init__(self, options, backend, daemon, timeline):
        self.options, self.backend, self.daemon, self.tell = options, backend, daemon, timeline
        self.fault = options.fault
        self.node = backend.victim
        self.stages = {}
        self.fault_ms = None
        self.old_instance = None
        self.out = set()  # nodes that were drained, down, or without their instance
        self.duplicates = self.quarantined = 0
        self.last = None
        self.job_id = None

    # --- the acts ---------------------------------------------------------------

    def play(self):
        """Runs the story; True when it ended as it should."""
        self.begin()
        if self.options.malformed_first:
            self.tell.say("info", "a message that nobody can read is put into the queue")
            self.backend.malformed()
            self.until(lambda: self.quarantined >= 1, 10, "the broken message set aside")
        self.strike()
        if self.fault == "rebalance":
            self.until(lambda: "heard" in self.stages, LIMIT_S, "the notice heard")
            self.until(self.job_done, LIMIT_S, "the job's end")
        else:
            self.until(lambda: self.repaired() and self.job_done(), LIMIT_S, "the repair")
            self.until(self.one_holder, END_S, "the old instance's end")
        if self.options.replay_message:
            self.replay()
        self.settle(SETTLE_S)
        return self.verdict()

    def begin(self):
        self.look()
        self.old_instance = self.last.living(self.node)[0].id
        self.job_id = self.backend.submit(JOB_S, self.node)
        self.until(lambda: self.last.job and self.last.job.state == "RUNNING", 30, "the job's start")

    def strike(self):
        self.fault_ms = now_ms()
        self.tell.start(self.fault_ms)
        self.tell.say("fault", f"{self.backend.inject(self.fault, self.node)}", self.fault_ms)

    def replay(self):
        """The fault's message once more, and time for a wrong answer to show."""
        bodies = [row["body"] for row in self.backend.messages()
                  if row["arrival"] >= self.fault_ms and self.old_instance in row["body"]]
        if not bodies:
            self.tell.say("bad", "no message told of the fault")
            return
        self.tell.say("info", "the fault's message is put into the queue again")
        self.backend.message(bodies[0])
        self.until(self.backend.queue_empty, 20, "the second message taken from the queue")

    # --- looking ----------------------------------------------------------------

    def until(self, done, seconds, what):
        """Looks at log and world until done(); False (and a line) when time is up."""
        end = time.monotonic() + seconds
        while True:
            self.look()
            if done():
                return True
            if time.monotonic() > end:
                self.tell.say("bad", f"waited {seconds:.0f} s for {what}")
                return False
            time.sleep(self.backend.look_s)

    def settle(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(self.backend.look_s)

    def look(self):
        self.daemon.check()
        for at_ms, row in self.daemon.new_lines():
            self.hear(at_ms, row)
        self.quarantined = len(self.daemon.set_aside())
        nodes, instances, job = self.backend.look(self.job_id)
        before, self.last = self.last, Snapshot(now_ms(), nodes, instances, job)
        if before:
            self.compare(before, self.last)

    def stage(self, name, at_ms, more=""):
        if name not in self.stages and self.fault_ms is not None:
            self.stages[name] = max(0, at_ms - self.fault_ms)
            self.tell.say("stage", WORDS[name] + (f" ({more})" if more else ""), at_ms)

    def hear(self, at_ms, row):
        """One line of the daemon's log."""
        concerns_us = self.node == row.get("node") or self.old_instance == row.get("instance")
        event, completion = row.get("event"), row.get("completion")
        if event == "message":
            self.duplicates += row.get("verdict") == "duplicate"
        if self.fault_ms is None or at_ms < self.fault_ms:
            return
        if event == HEARD.get(self.fault, NODE_HEARD) and concerns_us:
            self.stage("heard", at_ms, event)
        if row.get("decision", "incident.put") not in QUIET and concerns_us:
            self.tell.say("ours", f"{row['decision']} {row.get('text', '')}".rstrip(), at_ms)
        if completion and row.get("result", "ok") != "ok":
            self.tell.say("fact", f"{completion}: {row['result']} {row.get('text', '')}".rstrip(),
                          at_ms)
        elif completion == "gate" and concerns_us:
            self.stage("gate", at_ms, row.get("text", ""))

    def compare(self, before, now):
        """Tells what changed in the world, and takes the stages from it."""
        for name, node in now.nodes.items():
            was = before.nodes.get(name)
            if was and (was.words(), was.addr) != (node.words(), node.addr):
                reason = f", {node.reason}" if node.reason and node.is_out else ""
                self.tell.say("fact", f"{name} is {node.words()} at {node.addr}{reason}")
            if self.fault_ms and (node.is_out or not now.living(name)):
                self.out.add(name)
        for instance in now.instances.values():
            was = before.instances.get(instance.id)
            if not was or was.state != instance.state:
                self.tell.say("fact", f"{instance.id} ({instance.node}) is {instance.state}")
        if now.job and (not before.job or before.job.state != now.job.state):
            where = f" on {now.job.node}" if now.job.node else ""
            self.tell.say("fact", f"job {now.job.id} is {now.job.state}{where}")
        if self.fault_ms:
            self.stages_of_world(now)

    def stages_of_world(self, now):
        node = now.nodes[self.node]
        if node.is_out:
            self.stage("protected", now.at_ms, node.reason)
        new = self.replacement()
        if new:
            self.stage("launched", now.at_ms, f"{new.id} in {new.subnet}")
            if node.addr == new.addr:
                self.stage("registered", now.at_ms, new.addr)
        if self.repaired():
            self.stage("in_service", now.at_ms, node.words())
        if self.job_done():
            self.stage("job_done", now.at_ms, f"on {now.job.node}")

    # --- judging ----------------------------------------------------------------

    def replacement(self):
        made = [i for i in self.last.launched() if i.node == self.node]
        return made[-1] if made else None

    def repaired(self):
        """In service, after it was out, on an instance that is as it should be."""
        node = self.last.nodes[self.node]
        holders = [i for i in self.last.living(self.node) if i.addr == node.addr]
        fresh = bool(holders) and (holders[0].id != self.old_instance or self.fault not in LOST)
        return "protected" in self.stages and node.in_service and fresh

    def one_holder(self):
        """The node's name belongs to one instance: the one that it replaced is ended."""
        return len(self.last.living(self.node)) == 1

    def job_done(self):
        return bool(self.last.job) and self.last.job.state == "COMPLETED"

    def wrong(self):
        """What is not as it should be at the end, as sentences."""
        launches = len(self.last.launched())
        if "heard" not in self.stages:
            yield "the daemon never logged the fault"
        if not self.job_done():
            yield f"the job did not end well: {self.last.job}"
        if self.quarantined != int(self.options.malformed_first):
            yield f"{self.quarantined} messages are in quarantine"
        if self.fault == "rebalance":
            if launches or self.out:
                yield f"noise was acted on: {launches} launches, {sorted(self.out)} out of service"
            return
        if not self.repaired():
            yield f"the node is {self.last.nodes[self.node].words()}, not in service"
        if not self.one_holder():
            yield f"more than one instance holds the name {self.node}"
        if launches > 1 or (self.fault in LOST and launches != 1):
            yield f"{launches} instances were launched"
        if self.out != {self.node}:
            yield f"out of service were {sorted(self.out)}"
        if self.options.replay_message and not self.duplicates:
            yield "the message that came twice was not recognised"

    def verdict(self):
        faults = list(self.wrong())
        for fault in faults:
            self.tell.say("bad", fault)
        return not faults

    def summary(self):
        """The object of --json."""
        new = self.replacement() if self.last else None
        job = self.last.job if self.last else None
        return {
            "fault": self.fault, "node": self.node, "old_instance": self.old_instance,
            "new_instance": new.id if new else None,
            "launches": len(self.last.launched()) if self.last else 0,
            "drained": len(self.out), "quarantined": self.quarantined,
            "duplicates": self.duplicates,
            "job": {"id": job.id, "state": job.state, "node": job.node} if job else None,
            "stages_ms": {name: self.stages[name] for name in STAGES if name in self.stages},
            "repaired": self.fault != "rebalance" and bool(self.last) and self.repaired()}
