#!/usr/bin/env python3
"""simulate prove: the proofs hold, and the trace is asked for where RC_TRACES says nothing."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SIMULATE = pathlib.Path(os.environ["RC_BIN"]) / "simulate"

failures = 0


def check(good, name, shown=""):
    global failures
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        failures += 1
        print("\n".join("# " + line for line in shown.splitlines()[-40:]), flush=True)


def prove(*args, traces=None):
    env = {name: value for name, value in os.environ.items() if name != "RC_TRACES"}
    if traces:
        env["RC_TRACES"] = str(traces)
    return subprocess.run([str(SIMULATE), "prove", *args], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def faults(*days):
    """The text of a trace with a fault at each of these days, one a node."""
    kind = {"Level": "Hardware Failure", "Class": "GPU", "Desc": "Lost"}
    return json.dumps([{"node_id": f"n{number % 300}", "event_time": day, "fault_type": kind,
                        "event_type": "fault_start"} for number, day in enumerate(days)], indent=1)


def poor_traces(folder, path):
    """Nothing can be fitted to them: that is told, and nothing is computed from them."""
    poor = {
        "no fault": (faults(), ": 0 faults; expected 100 or more"),
        "two faults": (faults(1, 2), ": 2 faults; expected 100 or more"),
        "faults at one time": (faults(*[7] * 150), ": all faults at one time; expected times"),
        "a fault a day": (faults(*range(1, 151)), ": times between faults: coefficient of "
                          "variation 0.000; expected 1 or more"),
    }
    for name, (text, word) in poor.items():
        path.write_text(text)
        run = prove("trace", traces=folder)
        check(run.returncode == 3 and str(path) + word in run.stderr and
              "trace: cannot be proved" in run.stdout,
              f"prove trace tells what is expected of a trace with {name}", run.stdout + run.stderr)


def main():
    for name in ("streams", "ettr"):
        run = prove(name)
        check(run.returncode == 0 and f"{name}: holds" in run.stdout, f"prove {name} holds",
              run.stdout + run.stderr)
    run = prove("trace")
    check(run.returncode == 77, "prove trace says 77 where RC_TRACES is not given",
          run.stdout + run.stderr)
    with tempfile.TemporaryDirectory() as folder:
        run = prove("trace", traces=folder)
        check(run.returncode == 3 and "fault_trace.json: No such file" in run.stderr,
              "prove trace tells of a trace that is not there", run.stdout + run.stderr)
        bad = pathlib.Path(folder, "infinitehbd")
        bad.mkdir()
        (bad / "fault_trace.json").write_text("[{]")
        run = prove("trace", traces=folder)
        check(run.returncode == 3 and "fault_trace.json:1: " in run.stderr,
              "prove trace tells the line of a trace that cannot be read", run.stderr)
        poor_traces(folder, bad / "fault_trace.json")
    for args in (["streams", "ettr"], ["luck"]):
        run = prove(*args)
        check(run.returncode == 2 and "usage" in run.stderr,
              "usage is told for: prove " + " ".join(args), run.stderr)
    if os.environ.get("RC_TRACES"):
        run = prove("trace", traces=os.environ["RC_TRACES"])
        check(run.returncode == 0, "prove trace holds", run.stdout + run.stderr)
    else:
        print("ok - prove trace holds # SKIP RC_TRACES is not set")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
