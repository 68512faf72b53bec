"""slurmctld moves between two real controllers, and never has two writers.

One world for all cases, one after the other: each begins with a primary and ends with one,
and one job runs through all of them. RC_FAILOVER_CASES=NAME[,NAME] picks some.
"""
import os
import sys
import time

from tests.failover import failover_case
from tests.failover.dir_cases import DirCases
from tests.failover.failover_case import told
from tests.failover.loss_cases import LossCases
from tests.failover.order_cases import OrderCases
from tests.real.pair import HEADS, PairWorld


class Cases(LossCases, DirCases, OrderCases):
    pass


BACKFILL = "begun_by_backfill"
ORDER = ("status_says_who", "peer_lies", "killed", "hung", "by_hand", "active_backup_restarted", "munged_dead",
         "read_only", "full", "full_for_both", "hanging", "daemons_restarted", "during_repair",
         "flapping", "fence_refused", "partition", "host_dead", "host_of_the_leader_dead",
         "launched_anew", BACKFILL)


def play(cases, world, name):
    begin = time.monotonic()
    try:
        cases.settled()
        getattr(cases, name)()
        told(cases.job_lives(), f"{name}: the job that runs all the while was not touched")
    except (RuntimeError, KeyError, OSError, TypeError, StopIteration) as error:
        told(False, f"{name}: {error!r}")
        for head in HEADS:
            print(f"# {head}: {world.status(head).get('slurmctld')}")
    print(f"# {name}: {time.monotonic() - begin:.0f} s", flush=True)


def play_all(world, names):
    world.open()
    told(world.primary() == HEADS[0], "the first one is started on the leader's word")
    cases = Cases(world)
    cases.begin_job()
    for name in names:
        play(cases, world, name)
    time.sleep(3)
    told(world.writers.most() == 1, f"never two writers ({world.writers.most()})")


def main():
    wanted = os.environ.get("RC_FAILOVER_CASES", ",".join(ORDER)).split(",")
    # One world sees more fail-overs in ten minutes than a cluster in a year.
    in_one_world = [name for name in wanted if name != BACKFILL]
    if in_one_world:
        with PairWorld(failovers={"max": 8, "within": "1m"}) as world:
            play_all(world, in_one_world)
    if BACKFILL in wanted:
        # Its main scheduler starts a job with its submission or not at all.
        with PairWorld(main_scheduler="sched_min_interval=2000000000") as world:
            play_all(world, [BACKFILL])
    return 1 if failover_case.failures else 0


if __name__ == "__main__":
    sys.exit(main())
