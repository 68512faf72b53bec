"""The demo's stories of a lost controller, played as a user would, and the object of --json.

Two at a time: they mostly wait."""
import concurrent.futures
import json
import subprocess
import sys

FAULTS = ("controller-killed", "controller-hung", "controller-host", "controller-partition")
FIELDS = {"fault", "old_primary", "new_primary", "max_writers", "job", "why_safe", "stages_ms"}
STAGES = {"heard", "fenced", "taken_over", "accepted", "back", "job_done"}
AT_ONCE, LIMIT_S = 2, 600


def wrong(told, fault):
    if set(told) != FIELDS:
        yield f"fields: {sorted(set(told) ^ FIELDS)}"
        return
    stages = told["stages_ms"]
    if set(stages) != STAGES:
        yield f"stages: {sorted(set(stages) ^ STAGES)}"
    elif not stages["heard"] <= stages["fenced"] <= min(stages["taken_over"], stages["accepted"]):
        yield f"served before the old one was proved dead: {stages}"
    if told["fault"] != fault or told["old_primary"] == told["new_primary"]:
        yield f"{told['fault']}: from {told['old_primary']} to {told['new_primary']}"
    if told["max_writers"] != 1:
        yield f"{told['max_writers']} writers"
    if told["job"]["state"] != "COMPLETED":
        yield f"job: {told['job']}"


def play(fault):
    done = subprocess.run([sys.executable, "-m", "simulator.demo", "--real", "--fault", fault,
                           "--json"], capture_output=True, text=True, check=False, timeout=LIMIT_S)
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != 1:
        return fault, [f"status {done.returncode}, {len(lines)} lines on stdout"], done.stderr
    return fault, list(wrong(json.loads(lines[0]), fault)), done.stderr


def main():
    failed = False
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as stories:
        for fault, faults, said in stories.map(play, FAULTS):
            print(f"{'not ok' if faults else 'ok'} - fail-over: demo {fault}", flush=True)
            if faults:
                failed = True
                for line in [*faults, *said.splitlines()[-40:]]:
                    print(f"#   {line}", flush=True)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
