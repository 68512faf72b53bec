"""One fault of the primary controller: slurmctld moves, the job goes on, nobody else writes.

Stages come from the log of the leading daemon (fence, proof, take-over) and from the
world's truth: an sbatch that is accepted, the job's end, the lost one's return.
"""
import json
import shutil
import threading
import time

from simulator.demo.daemon import unix_ms
from simulator.demo.timeline import now_ms
from tests.real.pair import CONT, HEADS, KILL, STOP, PairWorld

JOB_S = 45
ACCEPT_S = 60
JOB_LIMIT_S = 90
BACK_S = 60
STAGES = ("heard", "fenced", "taken_over", "accepted", "back", "job_done")
WORDS = {"heard": "the leader begins to fence", "fenced": "the old primary is proved dead",
         "taken_over": "the other slurmctld serves", "accepted": "an sbatch is accepted again",
         "back": "the lost controller is back as backup", "job_done": "the job is done"}


class FailoverStory:
    def __init__(self, options, world, line):
        self.options, self.world, self.tell = options, world, line
        self.fault = options.fault
        self.stages, self.fault_ms = {}, None
        self.job_id, self.job, self.paragraph = None, None, ""
        self.rows_seen = 0
        self.primary_before = self.primary_after = None

    # --- acts -------------------------------------------------------------------

    def play(self):
        self.primary_before = self.world.primary()
        self.tell.say("info", f"{self.primary_before} is primary, {self.world.leader()} leads")
        self.job_id = self.world.slurm.submit(JOB_S, "gpu-1")
        self.until(lambda: self.state() == "RUNNING", 30, "the job's start")
        self.world.until_saved(self.job_id)
        self.strike()
        accepted = threading.Thread(target=self.submit_until_accepted, daemon=True)
        accepted.start()
        good = self.until(lambda: "taken_over" in self.stages, ACCEPT_S, "the take-over")
        accepted.join(ACCEPT_S)
        if self.fault == "controller-hung":
            self.world.signal(self.primary_before, CONT)
            self.tell.say("fault", "SIGCONT to whatever is left of the old one")
        if self.fault == "controller-partition":
            self.heal()
        good &= self.until(self.job_done, JOB_LIMIT_S, "the job's end")
        good &= self.until(self.is_back, BACK_S, "the lost one's return")
        time.sleep(3)  # long enough for a second writer to show
        self.primary_after = self.world.primary()
        return self.verdict() and good

    def strike(self):
        head = self.primary_before
        words = {"controller-killed": f"kill -9 of slurmctld on {head}",
                 "controller-hung": f"SIGSTOP to slurmctld on {head}",
                 "controller-host": f"the host of {head} dies; EC2 still shows it running",
                 "controller-partition": f"{head} is cut off from its peer and the nodes, alive"}
        self.fault_ms = now_ms()
        self.tell.start(self.fault_ms)
        self.tell.say("fault", words[self.fault], self.fault_ms)
        if self.fault == "controller-killed":
            self.world.signal(head, KILL)
        elif self.fault == "controller-hung":
            self.world.signal(head, STOP)
        elif self.fault == "controller-host":
            self.world.power_off(head)
        else:
            self.world.cut(head)

    def heal(self):
        """The network comes back; the instance behind it was forced off and started anew."""
        try:
            self.world.cut(self.primary_before, off=False)
        except RuntimeError:
            pass  # its namespace went with the instance
        self.tell.say("info", "the partition is over")

    def submit_until_accepted(self):
        """By clients on the backup's side: one that still reaches a cut-off primary is served by
        it until it is fenced, which is no end of the fault."""
        try:
            self.world.until_accepted(ACCEPT_S, near=self.backup())
            self.stage("accepted", now_ms())
        except RuntimeError as error:
            self.tell.say("bad", str(error))

    # --- looking ----------------------------------------------------------------

    def stage(self, name, at_ms, more=""):
        if name not in self.stages:
            self.stages[name] = max(0, at_ms - self.fault_ms)
            self.tell.say("stage", WORDS[name] + (f" ({more})" if more else ""), at_ms)

    def state(self):
        self.job = self.world.slurm.job(self.job_id)
        return self.job["state"]

    def job_done(self):
        if self.state() == "COMPLETED":
            self.stage("job_done", now_ms())
            return True
        return False

    def backup(self):
        return next(h for h in HEADS if h != self.primary_before)

    def hear(self):
        rows = self.world.log_rows(self.backup())
        for row in rows[self.rows_seen:]:
            at_ms = unix_ms(row["time"])
            if self.fault_ms is None or at_ms < self.fault_ms:
                continue
            if row.get("decision") in ("controller.fence", "ec2.stop"):
                self.stage("heard", at_ms, row["decision"])
                self.tell.say("ours", f"{row['decision']} {row.get('node', '')}", at_ms)
            if row.get("decision") == "takeover":
                self.stage("fenced", at_ms)
            if row.get("decision") == "done":
                self.stage("taken_over", at_ms)
                self.paragraph = self.paragraph or row["text"]
                self.tell.say("info", row["text"], at_ms)
        self.rows_seen = len(rows)

    def is_back(self):
        told = self.world.status(self.backup()).get("slurmctld", {})
        lost = next((c for c in told.get("controllers", []) if c["host"] == self.primary_before),
                    {})
        back = lost.get("daemon_answers") and lost.get("state_dir") == "ok" and (
            lost["process"] == "none" or lost["seen_here"] == "standby")
        if back:
            self.stage("back", now_ms())
        return back

    def until(self, done, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.world.maker.check()
            self.hear()
            if "taken_over" in self.stages:
                self.is_back()
            if done():
                return True
            time.sleep(0.1)
        self.tell.say("bad", f"waited {seconds} s for {what}")
        return False

    # --- judging ----------------------------------------------------------------

    def wrong(self):
        if self.world.writers.most() != 1:
            yield f"{self.world.writers.most()} controllers wrote the state directory at once"
        if self.primary_after != self.backup():
            yield f"{self.primary_after} is primary, not {self.backup()}"
        if not self.job or self.job["state"] != "COMPLETED":
            yield f"the job did not survive: {self.job}"
        if "proved" not in self.paragraph and "safe because" not in self.paragraph:
            yield "nobody said why the take-over was safe"
        if "accepted" not in self.stages:
            yield "no sbatch was accepted any more"

    def verdict(self):
        faults = list(self.wrong())
        for fault in faults:
            self.tell.say("bad", fault)
        return not faults

    def summary(self):
        return {"fault": self.fault, "old_primary": self.primary_before,
                "new_primary": self.primary_after, "max_writers": self.world.writers.most(),
                "job": self.job, "why_safe": self.paragraph,
                "stages_ms": {n: self.stages[n] for n in STAGES if n in self.stages}}


def keep(folder, world):
    folder.mkdir(parents=True, exist_ok=True)
    for head in HEADS:
        source = world.head_folder(head)
        for name in ("reconcilerd.json", "policy.json", "reconcilerd.log"):
            (folder / head).mkdir(exist_ok=True)
            if (source / name).exists():
                shutil.copy(source / name, folder / head / name)
        for name in ("journal", "log"):
            shutil.copytree(source / name, folder / head / name, dirs_exist_ok=True)


def play(options, line):
    """0 the story ended as it should, 1 it did not, 3 set-up failed."""
    world = PairWorld()
    try:
        line.say("info", "world: two controllers, real slurmctld, slurmd, munge; moto's EC2")
        try:
            world.open()
        except (OSError, RuntimeError) as error:
            line.say("bad", f"set-up failed: {error}")
            return 3
        story = FailoverStory(options, world, line)
        good = story.play()
        line.say("good" if good else "bad", "the story ended as it should" if good else
                 "the story did not end as it should")
        if options.json:
            print(json.dumps(story.summary()), flush=True)
        return 0 if good else 1
    finally:
        if options.keep and world.heads:
            keep(options.keep, world)
        world.close()
