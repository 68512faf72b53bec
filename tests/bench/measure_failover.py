"""Fail-over of slurmctld on two real controllers: from the fault to an accepted sbatch.

Medians; RC_BENCH_RUNS says of how many (10 when it is not set), Slurm's own fail-over of three
at most. RC_BENCH_STOCK=120 adds its default time-out, which takes two and a half minutes a run.
"""
import json
import os
import statistics
import subprocess
import sys

from bench_rows import Failure, note, row

RUNS = int(os.environ.get("RC_BENCH_RUNS", "10"))
DETECT_MS = 5000  # policy: silent


def once(how, fault):
    done = subprocess.run([sys.executable, "-m", "tests.bench.failover_run", how, fault],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{how} {fault}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def several(how, fault, runs):
    found = [once(how, fault) for _ in range(runs)]
    note(f"{how} {fault}: accepted after "
         + ", ".join(f"{r['accepted'] / 1000:.1f}" + " (given up)" * r.get("gave_up", False)
                     for r in found) + " s")
    return found


def middle(found, key):
    return round(statistics.median(r[key] for r in found))


def stock_rows(bench, fault):
    """Slurm's own fail-over, which fences nobody."""
    return [row(bench, f"stock_timeout_{timeout}",
                middle(several(f"stock-{timeout}", fault, min(RUNS, 3)), "accepted"), "ms")
            for timeout in ["10"] + os.environ.get("RC_BENCH_STOCK", "").split()]


def rows_of(bench, fault, allowed_ms):
    base = middle(several("bare", fault, RUNS), "accepted")
    ours = several("ours", fault, RUNS)
    rows = [row(bench, "accepted", middle(ours, "accepted"), "ms", baseline=base,
                limit=base + allowed_ms),
            row(bench, "jobs_lost", sum(r["jobs_lost"] for r in ours), "jobs", limit=0),
            row(bench, "max_writers", max(r["writers"] for r in ours), "hosts", limit=1)]
    return rows + stock_rows(bench, fault)


def failover_process(_build):
    return rows_of("failover-process", "process", 1000)


def failover_hung(_build):
    return rows_of("failover-hung", "hung", DETECT_MS + 2000)


def failover_host(_build):
    bare = middle(several("bare", "host", min(RUNS, 3)), "accepted")
    ours = several("ours", "host", RUNS)
    after = round(statistics.median(r["accepted"] - r["stopped"] for r in ours))
    return [row("failover-host", "stopped", middle(ours, "stopped"), "ms"),
            row("failover-host", "accepted_after_stopped", after, "ms", baseline=bare, limit=5000),
            row("failover-host", "accepted", middle(ours, "accepted"), "ms"),
            row("failover-host", "jobs_lost", sum(r["jobs_lost"] for r in ours), "jobs", limit=0),
            row("failover-host", "max_writers", max(r["writers"] for r in ours), "hosts",
                limit=1)] + stock_rows("failover-host", "host")
