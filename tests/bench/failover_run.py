"""One loss of the primary controller, timed: python3 -m tests.bench.failover_run HOW FAULT.

HOW: ours; bare (fence by hand and scontrol takeover at once); stock-10, stock-120 (Slurm's own
fail-over at that SlurmctldTimeout). FAULT: process, hung, host. Prints one JSON object, times
in milliseconds after the fault: accepted (an sbatch), stopped (EC2 shows the instance so). Slurm's
own fail-over may never come: then accepted is the time that was waited, and gave_up is true.
"""
import json
import sys
import threading
import time

from tests.real.pair import HEADS, KILL, STOP, PairWorld
from tests.real.slurm import wait_for

LIMIT_S, LONG_LIMIT_S = 120, 240


def strike(world, fault):
    if fault == "host":
        world.power_off(HEADS[0])
    else:
        world.signal(HEADS[0], KILL if fault == "process" else STOP)


def take_over_by_hand(world, fault):
    """The least that is right: the old one is dead, then the request."""
    if fault == "hung":
        world.signal(HEADS[0], KILL)
    world.slurm.command("scontrol", "takeover", "1", check=False)


def watch_stop(world, begin, found):
    wait_for(lambda: any(i["id"] == world.heads[HEADS[0]]["id"] and i["state"] == "stopped"
                         for i in world.emulator("instances")["instances"]), LIMIT_S,
             "the instance stopped")
    found["stopped"] = (time.monotonic() - begin) * 1000


def measure(how, fault):
    ours = how == "ours"
    timeout = int(how.partition("-")[2] or 65533)
    with PairWorld(daemons=ours, slurmctld_timeout=timeout) as world:
        world.open()
        job = world.slurm.submit(300, "gpu-1")
        wait_for(lambda: world.slurm.job(job)["state"] == "RUNNING", 30, "the job's start")
        world.until_saved(job)
        found, begin = {}, time.monotonic()
        strike(world, fault)
        if how == "bare":
            threading.Thread(target=take_over_by_hand, args=(world, fault), daemon=True).start()
        if ours and fault == "host":
            threading.Thread(target=watch_stop, args=(world, begin, found), daemon=True).start()
        try:
            world.until_accepted(LIMIT_S if timeout in (10, 65533) else LONG_LIMIT_S)
        except RuntimeError:
            if not how.startswith("stock"):
                raise
            found["gave_up"] = True
        found["accepted"] = (time.monotonic() - begin) * 1000
        time.sleep(8)  # the nodes register
        found["jobs_lost"] = int(world.slurm.job(job)["state"] != "RUNNING")
        found["writers"] = world.writers.most()
        return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2])))
