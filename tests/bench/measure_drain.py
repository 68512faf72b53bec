"""event-to-drain and fault-storm, on a real slurmctld in namespaces of their own."""

import functools
import json
import os
import subprocess

from bench_rows import Failure, bootstrap, note, percentile, row

PAIRS, STORM_NODES = 2000, 750
ADDED_P50_MS_MAX, ADDED_P99_MS_MAX = 0.5, 3.0
STORM_MS_MAX = 250.0


def inside(build, *arguments, seconds=900, program="drain_world.py"):
    """Runs the program in the world of tests/slurm and gives what it measured."""
    env = {**os.environ, "RC_BIN": str(build / "bin"), "RC_TEST_BUILD": str(build)}
    run = subprocess.run(["tests/slurm/run.sh", "--shell", "python3", f"tests/bench/{program}",
                          *arguments], env=env, capture_output=True, text=True, check=False,
                         timeout=seconds)
    if run.returncode or not run.stdout.startswith("{"):
        raise Failure((run.stderr + run.stdout).strip()[-500:])
    return json.loads(run.stdout)


def event_to_drain(build):
    note(f"event-to-drain: {PAIRS} pairs, about four minutes")
    pairs = inside(build, "event-to-drain", str(PAIRS))["pairs"]
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    rows = []
    for name, share, limit in (("p50", 0.5, ADDED_P50_MS_MAX), ("p99", 0.99, ADDED_P99_MS_MAX)):
        at = functools.partial(percentile, share=share)
        low, high = bootstrap(pairs, at)
        rows += [row("event-to-drain", name, at(ours), "ms", baseline=at(theirs)),
                 row("event-to-drain", f"{name}_added", at(ours) - at(theirs), "ms",
                     baseline=at(theirs), limit=limit),
                 row("event-to-drain", f"{name}_added_low", low, "ms"),
                 row("event-to-drain", f"{name}_added_high", high, "ms")]
    return rows


def fault_storm(build):
    note(f"fault-storm: {STORM_NODES} nodes at once, then once more under the shipped policy")
    storm = inside(build, "fault-storm", str(STORM_NODES))
    held = inside(build, "breaker", str(STORM_NODES))
    out = held["out"]
    budget = max(out.get("count", 0), float(out.get("share", "0%").rstrip("%")) / 100 * STORM_NODES)
    return [row("fault-storm", "all_drained", storm["ms"], "ms", baseline=storm["scontrol_ms"],
                limit=STORM_MS_MAX),
            row("fault-storm", "update_requests", storm["calls"], "1"),
            row("fault-storm", "destructive_under_shipped_policy", sum(held["done"].values()), "1",
                limit=int(budget))]
