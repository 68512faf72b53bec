"""sim-check: random schedules of small clusters a second of one core's time.
replay: recorded messages a second through the decoders and the core.

Counted by the processor time that the simulator took, so that a busy machine does
not blur it; wall time stands beside it."""

import pathlib
import re
import resource
import subprocess
import tempfile
import time

import recorded_messages
from bench_rows import Failure, median, note, row

SEEDS = 2_000
ROUNDS = 3
SCHEDULES_PER_SECOND_MIN = 1_000
MESSAGES = 200_000
MESSAGES_PER_SECOND_MIN = 200_000


def timed(*command):
    """Standard output, processor seconds and wall seconds of a program."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        raise Failure(run.stderr.strip() or run.stdout.strip() or f"{command[0]} failed")
    return run.stdout, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime), wall


def sim_check(build):
    note(f"sim-check: {ROUNDS} rounds of {SEEDS} seeds on one core")
    rounds = [timed(build / "bin" / "simulate", "check", "--seeds", f"1..{SEEDS}", "--jobs", "1",
                    "--brief") for _ in range(ROUNDS)]
    steps = int(re.search(r"(\d+) steps", rounds[0][0])[1])
    cpu, wall = (median([r[i] for r in rounds]) for i in (1, 2))
    return [row("sim-check", "schedules_per_core_second", SEEDS / cpu, "1/s",
                limit=SCHEDULES_PER_SECOND_MIN, at_least=True),
            row("sim-check", "schedules_per_wall_second", SEEDS / wall, "1/s"),
            row("sim-check", "checked_steps_per_core_second", steps / cpu, "1/s")]


def replay(build):
    note(f"replay: {ROUNDS} rounds of {MESSAGES} messages")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "messages.jsonl"
        recorded_messages.write(path, MESSAGES)
        rounds = [timed(build / "bin" / "simulate", "replay", path, "--quiet")
                  for _ in range(ROUNDS)]
    if f"{MESSAGES} messages: " not in rounds[0][0]:
        raise Failure(f"not all were replayed: {rounds[0][0]}")
    cpu, wall = (median([r[i] for r in rounds]) for i in (1, 2))
    return [row("replay", "messages_per_core_second", MESSAGES / cpu, "1/s",
                limit=MESSAGES_PER_SECOND_MIN, at_least=True),
            row("replay", "messages_per_wall_second", MESSAGES / wall, "1/s")]
