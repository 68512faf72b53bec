#!/usr/bin/env python3
"""./run bench [NAME ...] [--json FILE]: runs the benches and prints their rows.

Each row stands beside a baseline of the same run where there is one. Absolute limits are
read beside the calibration rows, which say how fast this machine was before and after.
Exit status 0 if every limit was kept, 1 if not, 2 for a wrong call."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))  # simulator.demo

import measure_agent
import measure_check
import measure_classify
import measure_drain
import measure_failover
import measure_idle
import measure_leader
import measure_queue
import measure_simulator
import measure_step
import measure_year
from bench_rows import Failure, note, row

BUILD = pathlib.Path("build").resolve()

BENCHES = {
    "step": measure_step.measure,
    "queue": measure_queue.measure,
    "classify": measure_classify.measure,
    "check": measure_check.measure,
    "line-to-drain": measure_agent.line_to_drain,
    "agent-idle": measure_agent.agent_idle,
    "log-storm": measure_agent.log_storm,
    "event-to-drain": measure_drain.event_to_drain,
    "fault-storm": measure_drain.fault_storm,
    "idle": measure_idle.measure,
    "leader-lost": measure_leader.leader_lost,
    "adopt": measure_leader.adopt,
    "failover-process": measure_failover.failover_process,
    "failover-hung": measure_failover.failover_hung,
    "failover-host": measure_failover.failover_host,
    "sim-check": measure_simulator.sim_check,
    "sim-year": measure_year.sim_year,
    "replay": measure_simulator.replay,
}


def calibrate(when):
    run = subprocess.run([BUILD / "bench" / "bench_calibrate"], capture_output=True, text=True,
                         check=True)
    return [row("calibration", f"{name.removesuffix('_ns')}_{when}", value, "ns")
            for name, value in json.loads(run.stdout).items()]


def show(rows):
    print(f"{'bench':<18}{'metric':<34}{'value':>12} {'unit':<6}{'baseline':>12}{'limit':>12}")
    for r in rows:
        verdict = {None: "", True: "  ok", False: "  MISSED"}[r["ok"]]
        baseline, limit = ("-" if r[key] is None else f"{r[key]:g}" for key in ("baseline", "limit"))
        print(f"{r['bench']:<18}{r['metric']:<34}{r['value']:>12g} {r['unit']:<6}{baseline:>12}"
              f"{limit:>12}{verdict}")


def main():
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)} (there are: {', '.join(BENCHES)})")

    rows, failed = calibrate("before"), False
    for name in options.names or BENCHES:
        try:
            rows += BENCHES[name](BUILD)
        except (Failure, OSError, subprocess.SubprocessError) as reason:
            note(f"{name} failed: {reason}")
            failed = True
    rows += calibrate("after")
    show(rows)
    if options.json:
        path = pathlib.Path(os.environ.get("RC_CWD", "."), options.json)
        path.write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if failed or any(r["ok"] is False for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
