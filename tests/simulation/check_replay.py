#!/usr/bin/env python3
"""simulate replay as a user runs it: messages from a folder and from lines, a fault trace, and
what is said of recordings that are cut, corrupt or impossible."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIMULATE = pathlib.Path(os.environ["RC_BIN"]) / "simulate"
NODE = "i-0123456789abcdef0"
START_MS = 1_772_000_000_000

failures = 0


def check(good, name, shown=""):
    global failures
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        failures += 1
        print("\n".join("# " + line for line in shown.splitlines()[-40:]), flush=True)


def replay(*args, cwd=None):
    return subprocess.run([str(SIMULATE), "replay", *map(str, args)], cwd=cwd, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def envelope(number, kind, **detail):
    return json.dumps({"version": "0", "id": f"{number:08x}-1111-2222-3333-444455556666",
                       "detail-type": kind, "source": "aws.ec2", "account": "111122223333",
                       "time": "2026-02-25T06:13:20Z", "region": "us-east-1",
                       "resources": [f"arn:aws:ec2:us-east-1:111122223333:instance/{NODE}"],
                       "detail": {"instance-id": NODE, **detail}})


SPOT = envelope(1, "EC2 Spot Instance Interruption Warning", **{"instance-action": "terminate"})
GONE = envelope(2, "EC2 Instance State-change Notification", state="terminated")


def lines(*bodies):
    return "".join(json.dumps({"arrival": START_MS + n * 130_000, "body": body}) + "\n"
                   for n, body in enumerate(bodies))


def messages(folder):
    path = folder / "messages.jsonl"
    path.write_text(lines(SPOT, SPOT, "no JSON", GONE))
    run = replay(path, cwd=folder)
    check(run.returncode == 0 and
          "4 messages: 3 with events, 0 ignored, 1 quarantined, 1 seen before" in run.stdout and
          "1 incidents opened, 1 closed" in run.stdout and "ec2.launch node-1" in run.stdout,
          "recorded lines are decoded, and their node is replaced under the shipped policy",
          run.stdout + run.stderr)
    again = replay(path, cwd=folder)
    check(run.stdout == again.stdout, "the same messages give the same bytes", again.stdout)
    bodies = folder / "bodies"
    bodies.mkdir()
    for number, body in enumerate((SPOT, "no JSON", GONE)):
        (bodies / f"{number}.json").write_text(body)
    run = replay(bodies, "--quiet", cwd=folder)
    check(run.returncode == 0 and "3 messages: 2 with events, 0 ignored, 1 quarantined" in
          run.stdout, "a folder of bodies is replayed", run.stdout + run.stderr)
    cluster = replay(path, "--cluster", ROOT / "docs/reconcilerd.json", cwd=folder)
    check(cluster.returncode == 0 and "ec2.launch gpu-1" in cluster.stdout,
          "the names of the cluster file are used", cluster.stdout + cluster.stderr)


def record(node, day, kind="fault_start", part="GPU"):
    return {"node_id": node, "event_time": day, "event_type": kind,
            "fault_type": {"Level": "Hardware Failure", "Class": part, "Desc": "Lost"}}


def trace(folder):
    path = folder / "trace.json"
    path.write_text(json.dumps([record("a", 1), record("b", 1.5), record("a", 3, "fault_end")],
                               indent=1))
    run = replay(path, cwd=folder)
    check(run.returncode == 0 and "2 faults" in run.stdout and
          "2 incidents opened, 2 closed" in run.stdout and "2 ec2.launch" in run.stdout,
          "the faults of a trace are answered by replacements", run.stdout + run.stderr)
    fast = replay(path, "--policy", ROOT / "policies/fast.json", cwd=folder)
    check(fast.returncode == 0 and "2 faults" in fast.stdout and "1 ec2.assign" in fast.stdout and
          "3 ec2.launch" in fast.stdout and "open at the end" not in fast.stdout,
          "a hot spare takes the name of a broken node, and its place fills again",
          fast.stdout[-2000:] + fast.stderr)
    looks = [line for line in fast.stdout.splitlines() if "  instance i-" in line]
    check(1 < len(looks) < 30, "an instance that looks as before is shown once", "\n".join(looks))
    check("commit " in run.stdout and re.search(r"policy p4d, hash [0-9a-f]{16}; state", run.stdout),
          "commit, policy and its hash stand below a replay", run.stdout)
    path.write_text(json.dumps([record(f"n{k % 2000}", 1) for k in range(110_000)]))
    run = replay(path, "--quiet", cwd=folder)
    check(run.returncode == 0 and "110000 faults" in run.stdout and
          "2000 incidents opened" in run.stdout,
          "faults of a whole site at one instant are many, and no core that does not rest",
          run.stdout + run.stderr)
    check(replay(path, "--against", folder, cwd=folder).returncode == 2,
          "a trace cannot be held against a journal")


def refused(folder):
    bad = {
        "a cut line": (lines(SPOT, GONE)[:-20], ":2: "),
        "an arrival in seconds": (lines(SPOT).replace(str(START_MS), "1772000000"), ":1: arrival"),
        "arrivals that go back": (lines(SPOT, GONE).replace(str(START_MS), "1999999999999"),
                                  ":2: arrival"),
        "a line without a body": ('{"arrival": 1772000000000}\n', ":1: body is missing"),
        "an empty file": ("", ":1: empty"),
        "another format": ("arrival,body\n", ":1: unknown format"),
        "a trace that goes back": (json.dumps([record("a", 2), record("a", 1)], indent=1),
                                   "earlier than the record before"),
        "a trace with an impossible time": (json.dumps([record("a", -2)]), "event_time -2"),
        "a trace with an unknown event": (json.dumps([record("a", 2, "fault_pause")]),
                                          "fault_pause"),
        "a trace with an unknown class": (json.dumps([record("a", 2, part="Martian")]),
                                          ':1: Class "Martian"'),
        "a trace with a time that is none": (json.dumps([record("a", float("nan"))], indent=1),
                                             ":4: no JSON from here on: NaN"),
        "a trace that is cut in a record": (json.dumps([record("a", 2)], indent=1)[:-20],
                                            "inside the record that begins in line 2"),
        "an end without a start": (json.dumps([record("a", 2, "fault_end")]), "did not start"),
        "a trace without a fault": ("[]\n", ": holds no fault"),
        "a cut trace": (json.dumps([record("a", 2)])[:-1], "ends too early"),
    }
    path = folder / "bad.txt"
    for name, (text, word) in bad.items():
        path.write_text(text)
        run = replay(path, cwd=folder)
        check(run.returncode == 3 and word in run.stderr and str(path) in run.stderr and
              "incidents opened" not in run.stdout,
              f"{name} is refused with its place, and no sum is given", run.stdout + run.stderr)
    path.write_text(lines(SPOT))
    policy = folder / "policy.json"
    policy.write_text('{"name": "x", "rules": 5}')
    run = replay(path, "--policy", policy, cwd=folder)
    check(run.returncode == 3 and f"{policy}:1:24: rules" in run.stderr,
          "a policy that does not load is refused with line and column", run.stderr)
    run = replay(folder / "gone", cwd=folder)
    check(run.returncode == 3 and "No such file" in run.stderr, "a missing path is told",
          run.stderr)
    nobody_writes(folder)
    for args in ([], ["a", "b"], ["a", "--speed", "3"]):
        run = replay(*args, cwd=folder)
        check(run.returncode == 2 and "usage" in run.stderr,
              "usage is told for: replay " + " ".join(args), run.stderr)


def nobody_writes(folder):
    """A FIFO is told, not waited for, wherever a file can be named."""
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    (folder / "queue").mkdir()
    os.mkfifo(folder / "queue/body.json")
    for args in (["replay", fifo], ["replay", folder / "bad.txt", "--policy", fifo],
                 ["run", "--policy", fifo], ["run", "--faults", f"trace:{fifo}"],
                 ["check", "--replay", fifo]):
        run = subprocess.run([str(SIMULATE), *map(str, args)], text=True, timeout=20, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(run.returncode == 3 and str(fifo) in run.stderr and "events" not in run.stdout,
              f"simulate {args[0]} says that nothing is in a FIFO that nobody writes",
              run.stdout + run.stderr)
    run = replay(folder / "queue", "--quiet", cwd=folder)
    check(run.returncode == 0 and "1 quarantined" in run.stdout,
          "a FIFO among messages is an empty message", run.stdout + run.stderr)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        messages(folder)
        trace(folder)
        refused(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
