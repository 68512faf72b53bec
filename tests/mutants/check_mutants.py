#!/usr/bin/env python3
"""Plants one bug after the other in a copy of the sources, builds the simulator
there, and plays seeds until the checker that the patch is named for finds it.

A patch is a sentence that says what is broken, then a unified diff of one line (of two where
two places guard the same); its name is the checker's, or the checker's and a word for which
of its parts: limits.jobs.patch.
The shipped code has no switches for this. RC_MUTANTS=NAME[,NAME] picks some.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/mutants"
COPY = WORK / "src"
BUILD = WORK / "build"
SEEDS_MAX = 4000
STEP = 500
# Bugs that the checkers of the large cluster must find too, and the years they may take.
AT_SCALE = {"files", "gate", "lease", "messages", "running-job", "same-decision"}
LARGE = ["run", "--nodes", "200", "--days", "30", "--world", "hostile", "--checks", "--faults",
         "bursty-lemon,rate=40"]
LARGE_SEEDS_MAX = 12
FOUND = re.compile(r"^seed (\d+): ([a-z-]+) at", re.M)

failures = 0


def run(*command, cwd=ROOT, text=None):
    return subprocess.run([str(c) for c in command], cwd=cwd, text=True, input=text, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def refresh_copy():
    """Only files that changed are written, so that the next build is short."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, COPY / name
        if not source.is_file() or name.startswith("tests/"):
            continue
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def build():
    done = run("cmake", "-G", "Ninja", "-S", COPY, "-B", BUILD,
               "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
    if not done.returncode:
        done = run("ninja", "-C", BUILD, "simulate")
    return done


def first_find(name):
    """Number of seeds until the checker of this name found something; 0 = never."""
    others = set()
    for start in range(1, SEEDS_MAX, STEP):
        played = run(BUILD / "bin/simulate", "check", "--brief", "--seeds",
                     f"{start}..{start + STEP - 1}", cwd=WORK)
        for seed, checker in FOUND.findall(played.stdout):
            if checker == name:
                return int(seed), others
            others.add(checker)
        if "ended its process" in played.stdout:
            others.add("crash")
    return 0, others


def first_large_find():
    """Number of the seed with which a large cluster is found wrong, and what was said."""
    for seed in range(1, LARGE_SEEDS_MAX + 1):
        for more in ([], ["--reserved"]):
            played = run(BUILD / "bin/simulate", *LARGE, "--seed", str(seed), *more)
            found = re.search(r"CHECKERS FOUND \d+: (.*)", played.stdout)
            if found:
                return seed, found[1]
    return 0, ""


def verdict(name, good, text):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - {name}: {text}", flush=True)


def judge(patch):
    name, checker = patch.stem, patch.stem.split(".")[0]
    why = patch.read_text().splitlines()[0]
    planted = run("patch", "-p1", "--no-backup-if-mismatch", "-i", patch, cwd=COPY)
    if planted.returncode:
        verdict(name, False, "the patch does not apply")
        print("# " + planted.stdout.replace("\n", "\n# "))
        refresh_copy()
        return
    built = build()
    if built.returncode:
        verdict(name, False, "the mutant does not build")
        print("# " + "\n# ".join(built.stdout.splitlines()[-20:]))
    else:
        seed, others = first_find(checker)
        shown = f" (others at once: {', '.join(sorted(others))})" if others else ""
        verdict(name, seed > 0, f"found after {seed} seeds{shown}: {why}" if seed else
                f"not found in {SEEDS_MAX} seeds{shown}: {why}")
        if name in AT_SCALE:
            seed, found = first_large_find()
            verdict(name, seed > 0, f"on 200 nodes found with seed {seed}: {found}" if seed else
                    f"on 200 nodes not found in {LARGE_SEEDS_MAX} seeds")
    refresh_copy()


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    refresh_copy()
    built = build()
    if built.returncode:
        verdict("sound code", False, "does not build")
        print("# " + "\n# ".join(built.stdout.splitlines()[-20:]))
        return 1
    wanted = os.environ.get("RC_MUTANTS")
    for patch in sorted((ROOT / "tests/mutants").glob("*.patch")):
        if not wanted or patch.stem in wanted.split(","):
            judge(patch)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
