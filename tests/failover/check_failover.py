"""slurmctld moves between two real controllers, and never has two writers.

One world for all cases, one after the other: each begins with a primary and ends with one.
RC_FAILOVER_CASES=NAME[,NAME] picks some.
"""
import os
import sys
import time

from tests.real.pair import CONT, HEADS, KILL, STOP, PairWorld
from tests.real.slurm import wait_for

MOVE_S = 60
failures = 0


def told(good, text):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - fail-over: {text}", flush=True)


class Cases:
    def __init__(self, world):
        self.world = world

    def other(self, head):
        return next(h for h in HEADS if h != head)

    def moved(self, to, seconds=MOVE_S):
        wait_for(lambda: self.world.primary() == to, seconds, f"{to} as primary", 0.2)

    def settled(self, seconds=90):
        """One serves, nothing is under way, the other one could take over."""
        def rests():
            leader = self.world.leader()
            if not leader:
                return False
            now = self.world.status(leader)["slurmctld"]
            spare = [c for c in now["controllers"] if c["host"] != now["primary"]]
            return now["primary"] and now["failover"] == "watch" and len(spare) == 1 and \
                spare[0]["daemon_answers"] and spare[0]["munge"] and \
                spare[0]["state_dir"] == "ok" and \
                (spare[0]["seen_here"] == "standby" or spare[0]["host"] == HEADS[0])
        wait_for(rests, seconds, "the pair at rest", 0.3)

    def by_hand(self):
        leader, primary = self.world.leader(), self.world.primary()
        same = self.world.ask(leader, "failover", "--to", primary)
        told(not same.get("ok") and "already" in same.get("text", ""),
             "to the one that is primary is refused")
        dry = self.world.ask(leader, "failover", "--dry-run")
        told(dry.get("ok") and "nothing was done" in dry["text"], "a dry run says what it would do")
        time.sleep(1)
        told(self.world.primary() == primary, "a dry run does nothing")
        told(self.world.ask(leader, "failover").get("ok"), "by hand it is begun")
        self.moved(self.other(primary))
        told(True, "by hand it moves")

    def hung(self):
        primary = self.world.primary()
        self.world.signal(primary, STOP)
        self.moved(self.other(primary))
        self.world.signal(primary, CONT)
        time.sleep(3)
        told(self.world.primary() == self.other(primary), "a hung one that wakes up harms nothing")

    def active_backup_restarted(self):
        """head2 is primary, its slurmctld dies and comes up as standby: nobody is active."""
        if self.world.primary() != HEADS[1]:
            self.by_hand()
            self.settled()
        self.world.signal(HEADS[1], KILL)
        self.world.inside(HEADS[1], "touch", "/run/slurmctld.wanted")
        wait_for(lambda: self.world.primary() in HEADS and self.world.answers(), MOVE_S,
                 "a primary", 0.2)
        told(True, "a restarted active backup leaves nobody without a primary")

    def munged_dead(self):
        primary = self.world.primary()
        mark = self.world.head_folder(primary) / "munged.off"
        mark.touch()
        self.world.signal(primary, KILL, "munged")
        self.moved(self.other(primary))
        told(True, "a primary whose munged is dead is left")
        mark.unlink()

    def read_only(self):
        primary = self.world.primary()
        state = self.world.folder / "state"
        self.world.inside(primary, "mount", "--bind", state, state)
        self.world.inside(primary, "mount", "-o", "remount,ro,bind", state)
        self.moved(self.other(primary), 120)
        told(True, "a primary that cannot write its state is left")
        self.world.inside(primary, "umount", state)

    def fence_refused(self):
        """Cut off, alive, and EC2 does not stop it: nothing may take over."""
        leader, primary = self.world.leader(), self.world.primary()
        if leader == primary:
            told(True, "a refused fence # SKIP the leader is on the primary")
            return
        self.world.emulator("refuse", id=self.world.heads[primary]["id"], refuse=True)
        self.world.cut(primary)
        time.sleep(20)
        now = self.world.status(leader)["slurmctld"]
        told(now["failover"] == "stop" and "proved dead" in now.get("block", ""),
             "a refused fence is told, and nothing takes over")
        told(self.world.pids(primary) and now["controllers"][HEADS.index(leader)]["seen_here"]
             != "primary", "the old primary is left alone")
        self.world.cut(primary, off=False)
        self.world.emulator("refuse", id=self.world.heads[primary]["id"], refuse=False)
        wait_for(lambda: self.world.status(leader)["slurmctld"]["failover"] == "watch", MOVE_S,
                 "the end of the alarm", 0.2)
        told(True, "when the partition ends it is left as it was, or moved with a fence")

    def daemons_restarted(self):
        primary = self.world.primary()
        for head in HEADS:
            self.world.signal(head, KILL, "reconcilerd")
        self.world.signal(primary, KILL)
        wait_for(lambda: self.world.primary() in HEADS and self.world.answers(), MOVE_S,
                 "a primary", 0.2)
        told(True, "both daemons restarted at once, slurmctld dead: it serves again")

    def killed(self):
        primary = self.world.primary()
        job = self.world.slurm.submit(40, "gpu-1")
        wait_for(lambda: self.world.slurm.job(job)["state"] == "RUNNING", 30, "the job's start")
        self.world.until_saved(job)
        self.world.signal(primary, KILL)
        self.moved(self.other(primary))
        wait_for(lambda: self.world.slurm.job(job)["state"] == "COMPLETED", 90, "the job's end", 0.5)
        told(True, "a killed one is replaced, the job completes")

    def partition(self):
        leader, primary = self.world.leader(), self.world.primary()
        if leader == primary:
            told(True, "a partition # SKIP the leader is on the primary")
            return
        self.world.cut(primary)
        self.moved(self.other(primary))
        told(True, "one that is cut off is forced off before the other takes over")


ORDER = ("killed", "hung", "by_hand", "active_backup_restarted", "munged_dead", "read_only",
         "daemons_restarted", "fence_refused", "partition")


def main():
    wanted = os.environ.get("RC_FAILOVER_CASES", ",".join(ORDER)).split(",")
    # One world sees more fail-overs in ten minutes than a cluster in a year.
    with PairWorld(failovers={"max": 8, "within": "1m"}) as world:
        world.open()
        told(world.primary() == HEADS[0], "the first one is started on the leader's word")
        cases = Cases(world)
        for name in wanted:
            try:
                cases.settled()
                getattr(cases, name)()
            except (RuntimeError, KeyError, OSError) as error:
                told(False, f"{name}: {error}")
                for head in HEADS:
                    print(f"# {head}: {world.status(head).get('slurmctld')}")
        time.sleep(3)
        told(world.writers.most() == 1, f"never two writers ({world.writers.most()})")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
