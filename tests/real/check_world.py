#!/usr/bin/env python3
"""Checks of the real-parts world itself: what the other tests stand on.

Run by run.sh from the project's root. The gate of the nodes is left open here, so
that these checks need no program of the project.
"""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.real.lifeline import end_process, run, start_time
from tests.real.slurm import wait_for
from tests.real.world import RealWorld

OPEN_GATE = "true"


def result(good, sentence, more=""):
    print(f"{'ok' if good else 'not ok'} - real world: {sentence}", flush=True)
    if not good and more:
        print(f"#   {more}", flush=True)
    return good


class OpenWorld(RealWorld):
    def admit_command(self, node):
        return OPEN_GATE


def namespaces(prefix):
    return [line for line in run("ip", "netns", "list").stdout.split() if line.startswith(prefix)]


def messages(world, instance_id, state):
    for row in world.emulator("messages")["messages"]:
        detail = json.loads(row["body"])["detail"]
        if detail.get("instance-id") == instance_id and detail.get("state") == state:
            return True
    return False


def job_runs(world):
    job = world.slurm.submit(1, "gpu-2")
    wait_for(lambda: world.slurm.job(job)["state"] == "COMPLETED", 30, "the job")
    return result(True, "a job runs on a node that is a namespace")


def probe_signs_in(world):
    addr, folder = world.seeded["gpu-1"]["addr"], world.folder
    console = (folder / "instances" / world.seeded["gpu-1"]["id"] / "host_key.pub").read_text()
    (folder / "known").write_text(f"{addr} {console}", encoding="ascii")
    out = run("ssh", "-i", folder / "login_key", "-o", "BatchMode=yes", "-o",
              f"UserKnownHostsFile={folder}/known", "-o", "StrictHostKeyChecking=yes",
              f"root@{addr}", "hostname; nvidia-smi -L | wc -l", check=False)
    return result(out.stdout.split() == ["gpu-1", "8"], "sshd of a node shows its own host key",
                  out.stdout + out.stderr)


def end_takes_all(world):
    """An instance that ends takes slurmd and the job with it, and AWS tells of it."""
    lost = world.seeded["gpu-2"]["id"]
    job = world.slurm.submit(600, "gpu-2")
    wait_for(lambda: world.slurm.job(job)["state"] == "RUNNING", 30, "the job's start")
    body = world.maker.machines[lost]
    init = body.init.pid
    world.emulator("end", id=lost)
    wait_for(lambda: messages(world, lost, "terminated"), 10, "the message")
    left = run("ip", "netns", "pids", body.namespace, check=False).stdout.split()
    return result(not start_time(init) and not left,
                  "an instance that ends takes all of its processes with it", f"left: {left}")


def stop_and_start(world):
    """A stopped instance keeps its address and comes back with another boot."""
    row = world.seeded["gpu-3"]
    before = world.slurm.nodes()["gpu-3"]["started"]
    world.emulator("stop", id=row["id"])
    wait_for(lambda: messages(world, row["id"], "stopped"), 10, "the stop")
    world.emulator("start", id=row["id"])
    wait_for(lambda: world.slurm.nodes()["gpu-3"]["started"] not in (before, "None"), 20,
             "slurmd after the start")
    now = {i["id"]: i for i in world.emulator("instances")["instances"]}[row["id"]]
    return result(now["addr"] == row["addr"] and now["boots"] == 2,
                  "a stopped instance comes back with its address", str(now))


def killed_owner_leaves_nothing():
    """A world whose owner is killed is removed by its reaper."""
    owner = subprocess.Popen([sys.executable, "-m", "tests.real.check_world", "hold"],
                             stdout=subprocess.PIPE, text=True)
    prefix, folder = owner.stdout.readline().split()
    beside = len(namespaces(prefix))
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    end = time.monotonic() + 30
    while time.monotonic() < end and (namespaces(prefix) or Path(folder).exists()):
        time.sleep(0.2)
    left = namespaces(prefix)
    return result(beside == 4 and not left and not Path(folder).exists(),
                  "a world beside another goes away when its owner is killed",
                  f"had {beside} namespaces, left {left}")


def other_process_is_spared():
    """An id that was given to another process since is left alone."""
    child = subprocess.Popen(["sleep", "60"])
    end_process(child.pid, start_time(child.pid) - 1)
    spared = child.poll() is None
    end_process(child.pid, start_time(child.pid))
    return result(spared and child.wait() == -signal.SIGTERM,
                  "a process is ended only if its id is still its own")


def hold():
    """A world that only stands there, for killed_owner_leaves_nothing()."""
    world = OpenWorld()
    world.open()
    print(world.prefix, world.folder, flush=True)
    time.sleep(600)


def main():
    good = other_process_is_spared()
    world = OpenWorld()
    try:
        world.open()
        good &= result(True, "all nodes register and are idle")
        for check in (job_runs, probe_signs_in, end_takes_all, stop_and_start):
            good &= check(world)
        good &= killed_owner_leaves_nothing()
    finally:
        world.close()
    good &= result(not namespaces(world.prefix) and not world.folder.exists(),
                   "a closed world leaves nothing behind")
    return 0 if good else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(hold() if sys.argv[1:] == ["hold"] else main())
