"""idle: 10,000 nodes and nothing happens. The daemon and a poll loop alone run side by
side at the shipped periods; their CPU time and memory are read from /proc."""

import subprocess
import time
from pathlib import Path

from bench_rows import note, row
from bench_world import Daemon, EmbeddedWorld, end, group, simulated_slurm, wait

NODES, SETTLE_S, MEASURE_S = 10_000, 70, 120
SLURM_MS, EC2_MS = 10_000, 60_000
CPU_RATIO_MAX, DAEMON_MIB_MAX = 1.2, 32


def cpu_ms(pid):
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def memory_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def measure(build):
    note(f"idle: {NODES} nodes, {SETTLE_S + MEASURE_S} s")
    world = EmbeddedWorld(build, NODES)
    daemon = Daemon(build, world.env(), world.queue_url,
                    {"cluster": {"groups": [group(f"node-[1-{NODES}]")]},
                     "slurm": simulated_slurm(build, world, "/dev/null")})
    loop = None
    try:
        loop = subprocess.Popen(
            [build / "bench" / "bench_poll", str(SLURM_MS), str(EC2_MS),
             build / "bin" / "rc-slurm-sim", "--world", world.slurm_socket], env=world.env())
        daemon.start()
        wait(lambda: daemon.check() or world.requests("DescribeInstanceStatus"), "polls begin")
        time.sleep(SETTLE_S)
        daemon.check()
        pids = daemon.process.pid, loop.pid
        before = [cpu_ms(pid) for pid in pids]
        time.sleep(MEASURE_S)
        daemon.check()
        ours, theirs = (cpu_ms(pid) - b for pid, b in zip(pids, before))
        memory = memory_mib(daemon.process.pid)
        helpers = sum(memory_mib(child) for child in children(daemon.process.pid))
    finally:
        daemon.close()
        if loop:
            end(loop)
        world.close()
    return [row("idle", "cpu_per_minute", ours * 60 / MEASURE_S, "ms",
                baseline=theirs * 60 / MEASURE_S),
            row("idle", "cpu_ratio", ours / theirs, "x", baseline=1, limit=CPU_RATIO_MAX),
            row("idle", "daemon_memory", memory, "MiB", limit=DAEMON_MIB_MAX),
            row("idle", "helpers_memory", helpers, "MiB")]
