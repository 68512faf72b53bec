"""step: decisions per second of the core at four sizes, and how their cost grows."""

import json
import subprocess

from bench_rows import Failure, median, note, row

ROUNDS = 60
STEPS_PER_SECOND_MIN = 1_000_000  # on one core, at 10,000 nodes


def measure(build):
    note(f"step: {ROUNDS} rounds at 100, 1,000, 10,000 and 100,000 nodes")
    run = subprocess.run([build / "bench" / "bench_step", "policies/p4d.json", str(ROUNDS)],
                         capture_output=True, text=True, check=False)
    if run.returncode:
        raise Failure(run.stderr.strip() or "bench_step failed")
    sizes = {size["nodes"]: size for size in map(json.loads, run.stdout.splitlines())}
    rows = []
    for nodes, size in sizes.items():
        limit = STEPS_PER_SECOND_MIN if nodes == 10_000 else None
        rows.append(row("step", f"steps_at_{nodes}_nodes", 1e9 / median(size["step_ns"]), "1/s",
                        baseline=1e9 / median(size["read_ns"]), limit=limit, at_least=True))
    reads = growth(sizes, "read_ns")
    rows.append(row("step", "growth_10000_to_100000_nodes", growth(sizes, "step_ns"), "x",
                    baseline=reads, limit=reads))
    rows.append(row("step", "state_at_10000_nodes", sizes[10_000]["bytes"] / 2**20, "MiB"))
    return rows


def growth(sizes, key):
    """Round by round, so that a machine that slows down in the middle does not count."""
    return median([b / a for a, b in zip(sizes[10_000][key], sizes[100_000][key])])
