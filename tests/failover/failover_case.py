"""What the cases of the fail-over stand on: the pair, how it comes to rest, who leads, and
the job that must live through all of them."""
import re
import time

from tests.real.pair import HEADS
from tests.real.slurm import wait_for

MOVE_S = 60
failures = 0


def told(good, text):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - fail-over: {text}", flush=True)


class Case:
    """world: a PairWorld; slurm nodes gpu-1 (the job that lasts) and gpu-2 (free)."""

    def __init__(self, world):
        self.world = world
        self.job = None

    @staticmethod
    def other(head):
        return next(h for h in HEADS if h != head)

    def moved(self, to, seconds=MOVE_S):
        wait_for(lambda: self.world.primary() == to, seconds, f"{to} as primary", 0.2)

    def settled(self, seconds=120):
        """One serves, nothing is under way, the other one could take over."""
        def rests():
            leader = self.world.leader()
            if not leader:
                return False
            now = self.world.status(leader)["slurmctld"]
            spare = [c for c in now["controllers"] if c["host"] != now["primary"]]
            return now["primary"] and now["failover"] == "watch" and len(spare) == 1 and \
                spare[0]["daemon_answers"] and spare[0].get("munge") and \
                spare[0]["state_dir"] == "ok" and \
                (spare[0]["seen_here"] == "standby" or spare[0]["host"] == HEADS[0])
        wait_for(rests, seconds, "the pair at rest", 0.3)

    def lead_from(self, head):
        """That controller's daemon leads, handed over in an orderly way."""
        leader = self.world.leader()
        if leader != head:
            self.world.ask(leader, "lead", "--yield")
            wait_for(lambda: self.world.leader() == head, 30, f"{head} as leader", 0.2)

    def lead_from_afar(self):
        """The primary, with the leader on the other controller."""
        primary = self.world.primary()
        self.lead_from(self.other(primary))
        return primary

    def seen(self, head):
        """What the leader knows of that controller."""
        now = self.world.status(self.world.leader())["slurmctld"]
        return next(c for c in now["controllers"] if c["host"] == head)

    def said(self, words):
        """Did one of the daemons write this into its log?"""
        return any(words in str(row) for head in HEADS for row in self.world.log_rows(head))

    def instances(self, name):
        """EC2's instances that carry this name."""
        return [i for i in self.world.emulator("instances")["instances"]
                if i["tags"].get("slurm-on-aws:node") == name]

    def begin_job(self):
        self.job = self.world.slurm.submit(7200, "gpu-1")
        wait_for(lambda: self.world.slurm.job(self.job)["state"] == "RUNNING", 60, "the job's start")
        self.world.until_saved(self.job)

    def job_lives(self):
        """It runs, and was never begun anew."""
        end = time.monotonic() + 30
        out = ""
        while time.monotonic() < end:
            out = self.world.slurm.command("scontrol", "-o", "show", "job", self.job,
                                           check=False).stdout
            if "JobState=" in out:
                break
            time.sleep(0.5)
        restarts = re.search(r" Restarts=(\d+)", out)
        lives = "JobState=RUNNING" in out and restarts is not None and restarts[1] == "0"
        if not lives:
            print(f"# {out.strip()[:400]}", flush=True)
        return lives
