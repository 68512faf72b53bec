#!/usr/bin/env python3
"""Runs the test groups and counts their result lines.

A test is an executable that CTest knows under the group's label, or a script
tests/NAME/run.sh, which belongs to the group NAME, or to `integration` when no
group has that name. Each prints one line a check: `ok - …`, `not ok - …`, and
`ok - … # SKIP why` for a skipped one. A test that fails without a `not ok`
line counts as one failure. The output of failing tests is printed whole; the
last line is `N passed, N failed` (with `, N skipped` when some were). Exit
status 1 when something failed or nothing ran.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

GROUPS = ("unit", "vectors", "scenarios", "simulation", "integration", "tidy",
          "mutants", "crash", "deploy", "roots", "failover")
# Programs of these groups do not disturb each other's timing.
PARALLEL = {"unit", "vectors", "scenarios"}
TIMEOUT_S = {"unit": 300, "vectors": 300, "scenarios": 300, "tidy": 1800, "deploy": 2400,
             "roots": 5400, "crash": 3600, "failover": 3600}
TIMEOUT_OTHER_S = 900

RESULT = re.compile(r"^(ok|not ok)\b(.*)$", re.M)
SKIP = re.compile(r"#\s*SKIP\b", re.I)


class Test:
    def __init__(self, name, group, command, cwd, env=None, timeout_s=None):
        self.name, self.group, self.command, self.cwd = name, group, command, cwd
        self.env = env or {}
        self.timeout_s = timeout_s or TIMEOUT_S.get(group, TIMEOUT_OTHER_S)


class Outcome:
    def __init__(self, test, status, output, seconds, why):
        self.test, self.output, self.seconds, self.why = test, output, seconds, why
        self.passed = self.failed = self.skipped = 0
        for verdict, rest in RESULT.findall(output):
            if verdict == "not ok":
                self.failed += 1
            elif SKIP.search(rest):
                self.skipped += 1
            else:
                self.passed += 1
        if status != 0 and not self.failed:
            self.failed = 1
        elif not (self.passed or self.failed or self.skipped):
            self.failed, self.why = 1, "printed no result line"


def ctest_tests(build, group):
    """What CTest knows under the label, with its command, folder and environment."""
    shown = subprocess.run(["ctest", "--show-only=json-v1", "-L", f"^{group}$"], cwd=build,
                           check=True, capture_output=True, text=True)
    for entry in json.loads(shown.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in entry.get("properties", [])}
        env = dict(v.split("=", 1) for v in properties.get("ENVIRONMENT", []))
        yield Test(entry["name"], group, entry["command"],
                   properties.get("WORKING_DIRECTORY", build), env, properties.get("TIMEOUT"))


def script_tests(group):
    for script in sorted(glob.glob("tests/*/run.sh")):
        name = os.path.basename(os.path.dirname(script))
        if (name if name in GROUPS else "integration") == group:
            yield Test(name, group, ["bash", script], os.getcwd())


def run_one(test, base_env):
    """Runs a test in a process group of its own, so that a time-out ends all of it."""
    start = time.monotonic()
    child = subprocess.Popen(test.command, cwd=test.cwd, env={**base_env, **test.env},
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True)
    why = ""
    try:
        output, _ = child.communicate(timeout=test.timeout_s)
    except subprocess.TimeoutExpired:
        why = f"no end within {test.timeout_s:.0f} s"
        os.killpg(child.pid, signal.SIGTERM)
        try:
            output, _ = child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output, _ = child.communicate()
    if not why and child.returncode:
        why = f"exit status {child.returncode}"
    status = child.returncode or (1 if why else 0)
    return Outcome(test, status, output.decode(errors="replace"), time.monotonic() - start, why)


def report(outcome):
    """One line for a test that passed, its whole output for one that did not."""
    test = outcome.test
    counts = f"{outcome.passed} passed"
    if outcome.failed:
        counts += f", {outcome.failed} failed"
    if outcome.skipped:
        counts += f", {outcome.skipped} skipped"
    print(f"{test.group}/{test.name}: {counts} ({outcome.seconds:.1f} s)", flush=True)
    if outcome.failed:
        print(outcome.output.rstrip("\n"))
        if outcome.why:
            print(f"# {test.group}/{test.name}: {outcome.why}")
        sys.stdout.flush()
    for line in outcome.output.splitlines():
        if not outcome.failed and RESULT.match(line) and SKIP.search(line):
            print(f"  {line}", flush=True)


def run_group(group, tests, env):
    workers = (os.cpu_count() or 1) if group in PARALLEL else 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for outcome in pool.map(lambda t: run_one(t, env), tests):
            report(outcome)
            yield outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="CMake folder of the test executables")
    parser.add_argument("--bin", required=True, help="programs that scripts use, as RC_BIN")
    parser.add_argument("groups", nargs="+", choices=GROUPS)
    args = parser.parse_args()

    env = {**os.environ, "RC_BIN": os.path.abspath(args.bin),
           "RC_TEST_BUILD": os.path.abspath(args.build)}
    passed = failed = skipped = 0
    for group in dict.fromkeys(args.groups):
        tests = [*ctest_tests(args.build, group), *script_tests(group)]
        if not tests:
            print(f"{group}: no tests", flush=True)
        for outcome in run_group(group, tests, env):
            passed += outcome.passed
            failed += outcome.failed
            skipped += outcome.skipped
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed + failed + skipped == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
