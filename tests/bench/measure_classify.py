"""classify: `nodewatch classify` over log files, in CPU time of the process.

Short: kernel lines up to 256 bytes, half of them about faults (a real log has one in
thousands). Long: the same with up to 60 KiB behind them. Beside it wc, which only counts
the lines: what reading them costs."""

import pathlib
import random
import resource
import statistics
import subprocess
import tempfile

from bench_rows import note, row

FIXTURE = pathlib.Path("tests/vectors/kernel/lines.tsv")
ROUNDS = 5
SHORT_LINES = 1_000_000
SHORT_BYTES = 256
LONG_LINES = 10_000
SHORT_LIMIT_PER_S = 2_000_000
LONG_LIMIT_PER_S = 1_000_000_000

BENIGN = (
    "[   12.100000] systemd[1]: Started Session 12 of user root.",
    "Feb 23 16:24:18 gpu-7 kernel: IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
    "6,3973,227986636,-;pci 0000:10:1c.0: BAR 1: assigned [mem 0x0000-0xffff 64bit pref]",
    "[   14.952018] mlx5_core 0000:41:00.0 enp65s0f0np0: Link up",
)


def known_lines():
    rows = FIXTURE.read_text().splitlines()[1:]
    lines = [row.split("\t", 2)[2] for row in rows]
    return [line for line in lines if line and len(line.encode()) <= SHORT_BYTES]


def write_files(folder):
    known, dice = known_lines(), random.Random(1)
    short, long = folder / "short", folder / "long"
    with short.open("w") as file:
        for i in range(SHORT_LINES // 2):
            file.write(f"{known[i % len(known)]}\n{BENIGN[i % len(BENIGN)]}\n")
    with long.open("w") as file:
        for i in range(LONG_LINES):
            file.write(f"{known[i % len(known)]}{'x' * dice.randint(2_000, 60_000)}\n")
    return short, long


def cpu_s(command, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with path.open("rb") as file:
        subprocess.run(command, stdin=file, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def rates(command, path, amount):
    return [amount / cpu_s(command, path) for _ in range(ROUNDS)]


def measure(build):
    ours, floor = [build / "bin" / "nodewatch", "classify"], ["wc", "-l"]
    with tempfile.TemporaryDirectory() as name:
        short, long = write_files(pathlib.Path(name))
        size = long.stat().st_size
        short_ours = rates(ours, short, SHORT_LINES)
        short_floor = rates(floor, short, SHORT_LINES)
        long_ours = rates(ours, long, size)
        long_floor = rates(floor, long, size)
    note(f"classify: {ROUNDS} rounds, worst {min(short_ours):.0f} lines/s, "
         f"{min(long_ours) / 1e9:.2f} GB/s")
    return [
        row("classify", "short_lines", statistics.median(short_ours), "1/s",
            baseline=round(statistics.median(short_floor)), limit=SHORT_LIMIT_PER_S, at_least=True),
        row("classify", "long_bytes", statistics.median(long_ours), "B/s",
            baseline=round(statistics.median(long_floor)), limit=LONG_LIMIT_PER_S, at_least=True),
    ]
