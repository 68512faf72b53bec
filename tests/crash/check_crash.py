"""Kills reconcilerd while a story of the demo runs, by a seeded schedule.

A wrapper named reconcilerd stands in front of the real one: it starts it, kills it by
its own process id after a drawn time, and starts it again on the same files. The rest
of the programs are the real ones, the world is rc-world."""
import json
import os
import random
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(os.environ.get("RC_BIN", "build/bin")).absolute()
STORIES = (("terminate", 1), ("spot", 3), ("retirement", 4), ("capacity", 5),
           ("status-check", 6))
KILLS = 14
PAUSE_S = (0.05, 1.2)

WRAPPER = """#!/bin/bash
# Ends the daemon that it started, by its id, after each of these pauses.
trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit' TERM
for pause in {pauses}; do
    {program} "$@" & child=$!
    sleep "$pause"
    kill -9 "$child" 2>/dev/null
    wait "$child" 2>/dev/null
done
{program} "$@" & child=$!
wait "$child"
"""


def wrapped_programs(folder, seed):
    """A folder of programs in which only the daemon is another."""
    for program in BIN.iterdir():
        (folder / program.name).symlink_to(program)
    draw = random.Random(seed)
    wrapper = folder / "reconcilerd"
    wrapper.unlink()
    wrapper.write_text(WRAPPER.format(
        program=BIN / "reconcilerd",
        pauses=" ".join(f"{draw.uniform(*PAUSE_S):.3f}" for _ in range(KILLS))), encoding="utf-8")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)


def play(fault, seed, folder):
    programs, kept = folder / "bin", folder / "kept"
    programs.mkdir()
    wrapped_programs(programs, seed)
    story = subprocess.run(
        [sys.executable, "-m", "simulator.demo", "--fault", fault, "--json", "--replay-message",
         "--malformed-first", "--keep", str(kept)], env={**os.environ, "RC_BIN": str(programs)},
        capture_output=True, text=True, timeout=240, check=False)
    if story.returncode != 0:
        return f"the story ended with status {story.returncode}\n{story.stderr[-3000:]}"
    told = json.loads(story.stdout)
    if told["launches"] != 1 or told["job"]["state"] != "COMPLETED" or not told["repaired"]:
        return f"launches, job, repaired: {json.dumps(told)}"
    replay = subprocess.run([BIN / "simulate", "replay", "--quiet", kept / "journal"],
                            capture_output=True, text=True, timeout=60, check=False)
    return f"replay: {replay.stdout}{replay.stderr}" if replay.returncode else ""


def main():
    failed = 0
    for fault, seed in STORIES:
        with tempfile.TemporaryDirectory(prefix="rc-crash-") as folder:
            why = play(fault, seed, Path(folder))
        failed += bool(why)
        name = f"crash: {fault} with {KILLS} kill -9 (seed {seed}): one launch, job done, same replay"
        print(f"{'not ok' if why else 'ok'} - {name}", flush=True)
        for line in why.splitlines():
            print(f"#   {line}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
