#!/usr/bin/env python3
"""Plays every story of the demo in both worlds and checks the object of --json.

Some stories are given a broken message first, or their message twice, so that every
fault is seen with at least one of them. Stories of faults that a node tells of are told side by side: they
mostly wait.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FAULTS = {
    "terminate": ("--malformed-first", "--replay-message"),
    "spot": ("--replay-message",),
    "retirement": ("--malformed-first",),
    "status-check": ("--replay-message",),
    "capacity": ("--malformed-first",),
    "rebalance": ("--replay-message",)}
# What the node itself tells of: nodes that must be drained, instances that must be launched.
NODE_FAULTS = {
    "xid79": (["gpu-2"], 0),
    "aer-fatal": (["gpu-2"], 1),
    "efa-down": (["gpu-2"], 0),
    "row-remap": (["gpu-2"], 0),
    "fs-hang": ([], 0),
    "job-storm": ([], 0)}
AT_ONCE = 3
STAGES = {"heard", "protected", "launched", "registered", "gate", "in_service", "job_done"}
FIELDS = {"fault", "node", "old_instance", "new_instance", "launches", "drained", "quarantined",
          "duplicates", "job", "stages_ms", "repaired"}
SIMULATE = os.environ["RC_BIN"] + "/simulate"
KEPT = ("reconcilerd.json", "reconcilerd.log", "journal", "messages.jsonl")
LIMIT_S = 420

failed = False


def result(good, sentence, more=""):
    global failed
    print(f"{'ok' if good else 'not ok'} - demo: {sentence}", flush=True)
    if not good:
        print("\n".join(f"#   {line}" for line in str(more).splitlines()), flush=True)
        failed = True


def play(world, fault, more, kept):
    words = [sys.executable, "-m", "simulator.demo", "--fault", fault, "--json", "--keep", kept,
             *more, *(["--real"] if world == "real" else [])]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=LIMIT_S)


def wrong_fields(told, fault, more):
    """What is wrong with the object, as sentences."""
    if set(told) != FIELDS:
        yield f"fields: {sorted(set(told) ^ FIELDS)}"
        return
    noise = fault == "rebalance"
    wanted = {"fault": fault, "quarantined": int("--malformed-first" in more),
              "repaired": not noise, "drained": 0 if noise else 1}
    if "--replay-message" in more and told["duplicates"] < 1:
        yield "the second message was not recognised"
    for name, value in wanted.items():
        if told[name] != value:
            yield f"{name} is {told[name]}, not {value}"
    if told["job"]["state"] != "COMPLETED":
        yield f"job: {told['job']}"
    if told["launches"] != (0 if noise else 1):
        yield f"launches: {told['launches']}"
    if bool(told["new_instance"]) == noise:
        yield f"new_instance: {told['new_instance']}"
    missing = ({"heard", "job_done"} if noise else STAGES) - set(told["stages_ms"])
    if missing:
        yield f"stages that never came: {sorted(missing)}"


def replay(*args):
    return subprocess.run([SIMULATE, "replay", *map(str, args), "--quiet"], capture_output=True,
                          text=True, check=False, timeout=LIMIT_S)


def replayed_otherwise(kept):
    """The daemon's journal, and the messages held against it: the same bytes again."""
    messages = Path(kept, "messages.jsonl")
    for args in ([kept], *([[messages, "--against", kept]] if messages.stat().st_size else [])):
        run = replay(*args)
        if run.returncode or not re.search(r"(\d+) decisions recorded: \1 the same\n", run.stdout):
            yield f"replay {args}: status {run.returncode}\n{run.stdout}{run.stderr}"


def check_replays(kept):
    """Of one journal: another policy's first difference with its cause, and every damage."""
    text = Path(kept, "policy.json").read_text(encoding="utf-8")
    others = {"cooldown": ("limits.attempts.cooldown was 10m, is 47m", '"cooldown": "10m"',
                           '"cooldown": "47m"'),
              "rule": ("then rule instance-lost; rules.instance-lost.confirm was 0s, is 1m",
                       '"name": "instance-lost",', '"name": "instance-lost", "confirm": "1m",'),
              "time-out": ("another deadline; timeouts.launch was 2m, is 3m", '"launch": "2m"',
                           '"launch": "3m"')}
    for name, (words, old, new) in others.items():
        policy = Path(kept, "other.json")
        policy.write_text(text.replace(old, new, 1), encoding="utf-8")
        run = replay(kept, "--policy", policy)
        result(old in text and run.returncode == 0 and "cause: " in run.stdout and
               words in run.stdout,
               f"replay under another {name} names the first difference and its cause",
               run.stdout + run.stderr)
    segment = next((kept / "journal").glob("journal-*.rcj"))
    whole = segment.read_bytes()
    wrong = []
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        for what, damaged in (("cut", whole[:at]),
                              ("flip", whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1:])):
            segment.write_bytes(damaged)
            run = replay(kept)
            told = run.returncode == 3 and \
                (segment.name in run.stderr or (not damaged and "journal: holds no record" in run.stderr))
            whole_records = what == "cut" and run.returncode == 0  # cut between two records
            if not (told and "state " not in run.stdout) and not whole_records:
                wrong.append(f"{what} at byte {at}: {run.returncode} {run.stdout}{run.stderr}")
    segment.write_bytes(whole)
    result(not wrong, "replay tells every cut and every changed byte of a journal, with its file",
           "\n".join(wrong[:5]))


def check(world, fault, more):
    with tempfile.TemporaryDirectory() as kept:
        done = play(world, fault, more, kept)
        name = f"{world}: {fault}" + "".join(f" {word}" for word in more)
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) != 1:
            result(False, name, f"status {done.returncode}, {len(lines)} lines on stdout\n"
                   + done.stderr[-4000:])
            return
        wrong = list(wrong_fields(json.loads(lines[0]), fault, more))
        wrong += [f"{item} was not kept" for item in KEPT if not Path(kept, item).exists()]
        wrong += replayed_otherwise(kept)
        result(not wrong, name, "\n".join(wrong) + "\n" + done.stderr[-4000:])
        if not wrong and (world, fault) == ("simulated", "terminate"):
            check_replays(Path(kept))


def wrong_node_fields(told, fault, drained, launches):
    if set(told) != FIELDS:
        yield f"fields: {sorted(set(told) ^ FIELDS)}"
        return
    for name, value in {"fault": fault, "drained": drained, "launches": launches,
                        "repaired": bool(drained)}.items():
        if told[name] != value:
            yield f"{name} is {told[name]}, not {value}"
    if told["job"]["state"] != "COMPLETED":
        yield f"job: {told['job']}"


def check_node_fault(fault):
    drained, launches = NODE_FAULTS[fault]
    with tempfile.TemporaryDirectory() as kept:
        done = play("real", fault, (), kept)
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) != 1:
            return fault, f"status {done.returncode}, {len(lines)} lines\n{done.stderr[-4000:]}"
        wrong = list(wrong_node_fields(json.loads(lines[0]), fault, drained, launches))
        bundles = list(Path(kept, "state", "forensics").glob("*-gpu-2/manifest.json"))
        if drained and not bundles:
            wrong.append("no evidence was kept")
        wrong += replayed_otherwise(kept)
        return fault, "\n".join(wrong) + ("\n" + done.stderr[-4000:] if wrong else "")


def main():
    for fault, more in FAULTS.items():
        check("simulated", fault, more)
    if os.geteuid() != 0:
        print("ok - demo: real world # SKIP network namespaces need root")
        return 1 if failed else 0
    for fault, more in FAULTS.items():
        check("real", fault, more)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as stories:
        for fault, wrong in stories.map(check_node_fault, NODE_FAULTS):
            result(not wrong, f"real: {fault}", wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
