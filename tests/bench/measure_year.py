"""sim-year: a year of 2,048 p4d nodes with 7,200 jobs a day, checkers off and on; the
memory that it takes, and where the time goes.

Seconds are those of the processor, so that a busy machine does not blur them; peak memory
is the kernel's own count for each child."""

import collections
import os
import re
import shutil
import subprocess
import tempfile
import time

from bench_rows import Failure, note, row

YEAR = ["run", "--nodes", "2048", "--faults", "exponential,rate=6.5", "--seed", "1"]
SECONDS_MAX, SECONDS_CHECKED_MAX = 10, 60
EVENTS_PER_SECOND_MIN = 1_000_000
MEMORY_MIB_MAX = 256
GROWTH_MAX = 1.25  # of memory, from 60 days to 365
ROOMS = ("core", "model", "fleet", "faults")


def play(build, days, *more):
    """Standard output, processor seconds, wall seconds and peak MiB of one run."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        pid = os.posix_spawn(build / "bin" / "simulate",
                             ["simulate", *YEAR, "--days", str(days), *more], os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
        out.seek(0)
        text = out.read()
    if status:
        raise Failure(f"simulate run ended with {status}: {text[-300:]}")
    return text, usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024


def events_of(text):
    found = re.search(r"events (\d+) of the core, (\d+) of the world", text)
    return int(found[1]), int(found[2])


def room_of_symbols(build):
    """Function name -> room, from the symbol tables of the archives."""
    rooms = {}
    for room in ROOMS:
        # No plugin: gcc's would leave out the static functions.
        listing = subprocess.run(["nm", "--plugin=/dev/null", build / "lib" / f"librc_{room}.a"],
                                 capture_output=True, text=True, check=False).stdout
        for line in listing.splitlines():
            found = re.match(r"[0-9a-f]+ [tT] (\w+)", line)
            if found:
                rooms.setdefault(found[1], room)
    return rooms


def where_time_goes(build):
    """Shares of samples by room; only where perf is there and may be used."""
    if not shutil.which("perf") or not shutil.which("nm"):
        note("sim-year: no perf here, so it is not said where the time goes")
        return []
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/perf.data"
        done = subprocess.run(["perf", "record", "-q", "-F", "999", "-o", data, "--",
                               build / "bin" / "simulate", *YEAR, "--days", "60"],
                              capture_output=True, check=False)
        text = subprocess.run(["perf", "report", "-i", data, "--no-children", "--stdio", "-F",
                               "overhead,sym", "-w", "10,80"], capture_output=True, text=True,
                              check=False).stdout
    rooms, shares = room_of_symbols(build), collections.Counter()
    for percent, where, name in re.findall(r"^\s*([\d.]+)%\s+\[(.)\]\s+(\w+)", text, re.M):
        shares["kernel" if where == "k" else rooms.get(name.split(".")[0], "libc")] += float(percent)
    if done.returncode or not shares:
        note("sim-year: perf may not be used here, so it is not said where the time goes")
        return []
    return [row("sim-year", f"share_of_time_{room}", share, "%")
            for room, share in shares.most_common()]


def sim_year(build):
    note("sim-year: 365 days of 2,048 nodes, then 60 days, then 365 with every checker on")
    text, seconds, wall, memory = play(build, 365)
    core, world = events_of(text)
    _, _, _, memory_short = play(build, 60)
    _, checked, _, memory_checked = play(build, 365, "--checks")
    return [row("sim-year", "processor_seconds", seconds, "s", limit=SECONDS_MAX),
            row("sim-year", "wall_seconds", wall, "s"),
            row("sim-year", "events_per_core_second", (core + world) / seconds, "1/s",
                limit=EVENTS_PER_SECOND_MIN, at_least=True),
            row("sim-year", "core_steps_per_core_second", core / seconds, "1/s"),
            row("sim-year", "checked_processor_seconds", checked, "s", limit=SECONDS_CHECKED_MAX),
            row("sim-year", "memory_365_days", memory, "MiB", limit=MEMORY_MIB_MAX),
            row("sim-year", "memory_checked", memory_checked, "MiB", limit=MEMORY_MIB_MAX),
            row("sim-year", "memory_365_over_60_days", memory / memory_short, "x",
                limit=GROWTH_MAX),
            *where_time_goes(build)]
