#!/usr/bin/env python3
"""Checks of ./run's command line and of the way results are counted."""
import importlib.util
import subprocess
import sys

spec = importlib.util.spec_from_file_location("tally", "tests/harness/tally.py")
tally = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tally)

failed = False


def result(good, sentence, more=""):
    global failed
    print(f"{'ok' if good else 'not ok'} - entry: {sentence}")
    if not good:
        print(f"#   {more}")
        failed = True


def run(*words):
    return subprocess.run(["./run", *words], capture_output=True, text=True, check=False)


def counts(script, timeout_s=10):
    test = tally.Test("probe", "unit", ["bash", "-c", script], ".", timeout_s=timeout_s)
    done = tally.run_one(test, {"PATH": "/usr/bin:/bin"})
    return done.passed, done.failed, done.skipped


def main():
    for words in ((), ("no-such-command",), ("test", "no-such-group"), ("build", "extra"),
                  ("demo", "--fault", "no-such-fault"), ("demo", "--no-such-option"),
                  ("fuzz", "no-such-target"), ("fuzz",)):
        done = run(*words)
        result(done.returncode == 2 and "usage" in done.stderr and not done.stdout,
               f"{' '.join(('./run', *words))} is answered with the usage and status 2",
               f"status {done.returncode}: {done.stderr[-200:]}")

    cases = (
        ("one line a check is counted", "echo 'ok - a'; echo 'not ok - b'; exit 1", (1, 1, 0)),
        ("a skipped check is not a passed one", "echo 'ok - a # SKIP no root'", (0, 0, 1)),
        ("a failure without a line counts as one", "echo 'ok - a'; exit 3", (1, 1, 0)),
        ("a test that was killed counts as failed", "echo 'ok - a'; kill -9 $$", (1, 1, 0)),
        ("a test that says nothing counts as failed", "true", (0, 1, 0)),
        ("words that only begin like a result do not count", "echo 'okay'; echo 'ok - a'",
         (1, 0, 0)))
    for sentence, script, wanted in cases:
        got = counts(script)
        result(got == wanted, sentence, f"passed, failed, skipped: {got}, not {wanted}")
    got = counts("echo 'ok - a'; sleep 60", timeout_s=1)
    result(got == (1, 1, 0), "a test that does not end is stopped and counts as failed", str(got))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
