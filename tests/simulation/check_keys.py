#!/usr/bin/env python3
"""Every key of a policy that the score is meant to tell apart does change it: the same cluster
and seed under the default and under the default with this one key changed."""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIMULATE = pathlib.Path(os.environ["RC_BIN"]) / "simulate"
# Faults in plenty; many at once on few places where a budget must bind.
ROOMY = ["--nodes", "128", "--days", "20", "--faults", "bursty-lemon,rate=40", "--seed", "3",
         "--false-alarms", "20"]
TIGHT = ["--nodes", "256", "--days", "12", "--faults", "bursty-lemon,rate=150", "--seed", "4",
         "--false-alarms", "300", "--jobs-per-day", "300"]

failures = 0


def check(good, name, shown=""):
    global failures
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        failures += 1
        print("\n".join("# " + line for line in shown.splitlines()[-40:]), flush=True)


def shipped():
    text = (ROOT / "policies/p4d.json").read_text()
    bare = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text,
                  flags=re.S)
    policy = json.loads(bare)
    policy.pop("$schema", None)
    return policy


def crowded(policy):
    """One budget binds, and the breaker does not hide it."""
    out = policy["limits"]["out"]
    out["cluster"] = {"count": 3, "share": "0%"}
    out["partition"] = out["zone"] = {"count": 100, "share": "0%"}
    policy["limits"]["breaker"].update(count=1000, share="100%")
    return policy


def limit(key, value):
    return lambda policy: policy["limits"].update({key: value})


def attempts(**values):
    return lambda policy: policy["limits"]["attempts"].update(values)


def breaker(**values):
    return lambda policy: policy["limits"]["breaker"].update(values)


def of_rules(change, when=lambda rule: "ladder" in rule):
    def apply(policy):
        for rule in filter(when, policy["rules"]):
            change(rule)
    return apply


def requeues(rule):
    return rule.get("jobs", {}).get("mode") == "requeue"


def set_jobs(**values):
    return of_rules(lambda rule: rule["jobs"].update(values), requeues)


def repeated(rule):
    rule["match"]["repeats"] = 8


ROOMY_KEYS = {
    "how long jobs may go on": set_jobs(wait="4h"),
    "a signal before a requeue": set_jobs(signal="USR1", wait="10m", signal_before="2m"),
    "jobs that are waited for, not requeued":
        of_rules(lambda rule: rule.update(jobs={"mode": "wait"}), requeues),
    "nodes of one job out at once":
        lambda policy: policy["limits"]["out"].update(job={"count": 1, "share": "0%"}),
    "stop first": of_rules(lambda rule: rule.update(order="stop-first", launch="idle")),
    "make before break": of_rules(lambda rule: rule.update(launch="before-drain"),
                                  lambda rule: rule["name"] in ("retirement", "maintenance")),
    "attempts": attempts(max=1),
    "the window of attempts": attempts(max=1, within="30d"),
    "the cool-down": attempts(cooldown="6h"),
    "repeats of a node in a window":
        of_rules(repeated, lambda rule: "repeats" in rule.get("match", {})),
    "quarantine by a host's marks": lambda policy: policy["lemon"].update(quarantine=4),
    "hot spares": limit("spares", {"count": 3, "share": "0%"}),
    "the breaker's count": breaker(count=1, share="0%"),
    "the breaker's share": breaker(count=1, share="2%"),
    "the spacing": limit("spacing", "2h"),
    "launches an hour": limit("launches_per_hour", {"cluster": 1, "partition": 1, "zone": 1}),
}
TIGHT_KEYS = {
    "jobs cut short at once": limit("jobs", {"count": 1, "share": "0%"}),
    "a gang's second node": limit("same_job", "free"),
    "nodes in quarantine": limit("quarantine", {"count": 20, "share": "0%"}),
}


def scores(folder, policy, args):
    path, numbers = folder / "policy.json", folder / "numbers.json"
    path.write_text(json.dumps({**policy, "name": "tried"}))
    run = subprocess.run([str(SIMULATE), "run", "--policy", str(path), "--json", str(numbers),
                          *args], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False)
    if run.returncode:
        return run.stderr
    told = json.loads(numbers.read_text())["policies"][0]["runs"][0]
    told.pop("decisions")  # their hash is no score
    return told


def every_key_counts(folder, policy, args, keys):
    before = scores(folder, policy, args)
    for name, change in keys.items():
        other = copy.deepcopy(policy)
        change(other)
        after = scores(folder, other, args)
        moved = isinstance(after, dict) and isinstance(before, dict) and \
            [key for key in before if before[key] != after[key]]
        check(other != policy and bool(moved), f"the score tells apart: {name}", str(after))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        every_key_counts(folder, shipped(), ROOMY, ROOMY_KEYS)
        every_key_counts(folder, crowded(shipped()), TIGHT, TIGHT_KEYS)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
