"""line-to-drain, agent-idle and log-storm: the agent on a node, with a real slurmctld."""

import functools

from bench_rows import bootstrap, note, percentile, row
from measure_drain import inside

PAIRS, ADDED_P50_MS_MAX, ADDED_P99_MS_MAX = 600, 1.0, 10.0
# As long as the longest period of a probe that is not asked of slurmctld: each has its share.
IDLE_S, RATIO_MIN, CORE_SHARE_MAX, MEMORY_KIB_MAX = 300, 20, 0.0005, 4096
STORM_LINES, GROWN_KIB_MAX = 100_000, 256


def line_to_drain(build):
    note(f"line-to-drain: {PAIRS} pairs, about a minute")
    pairs = inside(build, "line-to-drain", str(PAIRS), program="agent_world.py")["pairs"]
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    rows = []
    for name, share, limit in (("p50", 0.5, ADDED_P50_MS_MAX), ("p99", 0.99, ADDED_P99_MS_MAX)):
        at = functools.partial(percentile, share=share)
        low, high = bootstrap(pairs, at)
        rows += [row("line-to-drain", name, at(ours), "ms", baseline=at(theirs)),
                 row("line-to-drain", f"{name}_added", at(ours) - at(theirs), "ms",
                     baseline=at(theirs), limit=limit),
                 row("line-to-drain", f"{name}_added_low", low, "ms"),
                 row("line-to-drain", f"{name}_added_high", high, "ms")]
    return rows


def agent_idle(build):
    note("agent-idle: seven minutes")
    idle = inside(build, "agent-idle", str(IDLE_S), program="agent_world.py")
    ratio = idle["script_s"] / max(idle["agent_s"], 1e-9)
    return [row("agent-idle", "cpu_per_hour", idle["agent_s"], "s", baseline=idle["script_s"],
                limit=CORE_SHARE_MAX * 3600),
            row("agent-idle", "script_over_agent", ratio, "x", limit=RATIO_MIN, at_least=True),
            row("agent-idle", "dmesg_grep_per_hour", idle["grep_s"], "s"),
            row("agent-idle", "agent_memory", idle["memory_kib"], "KiB", limit=MEMORY_KIB_MAX),
            row("agent-idle", "helper_memory", idle["helpers_kib"], "KiB")]


def log_storm(build):
    note(f"log-storm: {STORM_LINES} lines in a second")
    storm = inside(build, "log-storm", str(STORM_LINES), program="agent_world.py")
    return [row("log-storm", "written", storm["written_s"], "s", baseline=1, limit=1.2),
            row("log-storm", "lines_lost", storm["lost"], "1", limit=0),
            row("log-storm", "faults_counted", storm["counted"], "1"),
            row("log-storm", "drains", storm["drains"], "1", limit=1),
            row("log-storm", "guilty_line_to_drain", storm["drain_ms"], "ms"),
            row("log-storm", "memory_grown", storm["grown_kib"], "KiB", limit=GROWN_KIB_MAX)]
