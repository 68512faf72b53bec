"""simulate sweep on a real slurmctld: submit, collect, resume what is missing."""

import os
import re
import subprocess
import sys
import time

from slurm_world import WORLD, World, sh

SIMULATE = os.environ["RC_BIN"] + "/simulate"
STUDY = ["--nodes", "100", "--days", "5", "--seeds", "4", "--policy", "policies/p4d.json",
         "--policy", str(WORLD / "hasty it's.json")]
PIECES = 8

failures = 0


def check(good, name, shown=""):
    global failures
    print(("ok - " if good else "not ok - ") + "sweep: " + name, flush=True)
    if not good:
        failures += 1
        print("\n".join("# " + line for line in shown.splitlines()[-30:]), flush=True)


def simulate(verb, *args):
    return subprocess.run([SIMULATE, verb, *args], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def write_policy():
    """Its name has a blank and a quote: the script of the array must quote."""
    text = open("policies/p4d.json", encoding="utf-8").read()
    (WORLD / "hasty it's.json").write_text(
        text.replace('"name": "p4d"', '"name": "hasty"').replace('"confirm": "3m"', '"confirm": "1m"'))


def a_task_is_cancelled(folder):
    """The last task waits behind a dependency-free queue of one at a time."""
    sweep = subprocess.Popen([SIMULATE, "sweep", str(folder), *STUDY, "--days", "30",
                              "--sbatch", "--exclusive --nodelist=n1"],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end, job = time.monotonic() + 20, None
    while not job and time.monotonic() < end:
        job = re.search(r"^(\d+)", sh("squeue", "-h", "-o", "%A %T"))
        time.sleep(0.05)
    if job:
        jobs = sh("squeue", "-h", "-o", "%F")
        sh("scancel", f"{jobs.split()[0]}_{PIECES - 1}")
    out, err = sweep.communicate(timeout=120)
    check(sweep.returncode == 3 and not out and f"not there: piece {PIECES - 1}" in err,
          "a task that was cancelled is missed, and no report is made", out + err)
    again = simulate("sweep", str(folder), *STUDY, "--days", "30")
    check(again.returncode == 0 and f"1 of {PIECES} pieces to be played by a Slurm" in again.stderr,
          "the same call again submits only what is missing", again.stderr)


def main():
    World(live=2)
    write_policy()
    folder = WORLD / "sweep it's"
    plain = simulate("compare", *STUDY)
    swept = simulate("sweep", str(folder), *STUDY)
    check(f"{PIECES} of {PIECES} pieces to be played by a Slurm job array" in swept.stderr,
          "the pieces go to Slurm as one array", swept.stderr)
    check(swept.returncode == 0 and swept.stdout == plain.stdout and plain.stdout,
          "its report is that of compare, to the byte", swept.stdout + swept.stderr)
    logs = sorted(path.name for path in folder.glob("piece-*.log"))
    check(len(logs) == PIECES, "each task has its log in the folder", str(logs))
    again = simulate("sweep", str(folder), *STUDY)
    check(again.returncode == 0 and again.stdout == plain.stdout and "to be played" not in
          again.stderr, "with all pieces there nothing is submitted", again.stderr)
    a_task_is_cancelled(WORLD / "second")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
