"""leader-lost: the leading daemon is killed with a repair in flight, or hands over; how long
until the other one acts. adopt: a large cluster's open incidents and histories, taken over with
an empty journal."""

import json
import os
import subprocess
import time
from datetime import datetime

from bench_rows import Failure, median, note, row
from bench_world import Daemon, EmbeddedWorld, group, simulated_slurm, wait
from tests.pair.pair_world import REQUEST_S, TERM_S, Pair

ROUNDS, ADOPTIONS = 10, 5
PAUSE_S = 7  # the log writes a line that repeats five times a minute
NODES, OPEN = 10_000, 200
LOST_MAX_MS = (TERM_S + REQUEST_S + 2) * 1000
YIELD_MAX_MS, ADOPT_MAX_MS = 1000, 2000


# Three nodes see more repairs here than a cluster in a month; the counts go from leader to leader.
MANY = {"cluster": 100, "partition": 100, "zone": 100}
NO_LIMITS = {"launches_per_hour": MANY, "destructive_per_hour": MANY,
             "attempts": {"max": 8, "within": "1m", "cooldown": "0s"},
             "breaker": {"count": 100, "share": "100%", "within": "1m", "reset": "1m"}}


def log_ms(entry):
    return datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp() * 1000


def first(controller, after_ms, condition):
    """Wall-clock ms of the first such line of its log; None: not yet."""
    return next((log_ms(r) for r in controller.log()
                 if log_ms(r) >= after_ms and condition(r)), None)


def await_first(controller, after_ms, condition, what):
    found = []
    wait(lambda: found.append(first(controller, after_ms, condition)) or found[-1], what)
    return found[-1]


def lose_leader(pair, node):
    leader = pair.leader()
    other = pair.other(leader)
    wait(lambda: (other.status() or {}).get("lease", {}).get("owner") == leader.name, "a standby")
    before = len(pair.changes())
    pair.backend.inject("terminate", node)
    wait(lambda: len(pair.changes()) > before, "a repair in flight", every=0.01)
    start_ms = time.time() * 1000
    leader.kill()
    acts_ms = await_first(other, start_ms, lambda r: "decision" in r, "the successor acts")
    wait(pair.healthy, "the repair ends", 60)
    leader.start()
    return acts_ms - start_ms


def hand_over(pair):
    time.sleep(PAUSE_S)
    leader = pair.leader()
    other = pair.other(leader)
    wait(lambda: (other.status() or {}).get("lease", {}).get("owner") == leader.name, "a standby")
    start_ms = time.time() * 1000
    status, said, complaint = leader.ctl("lead", "--yield")
    if status:
        raise Failure(f"lead --yield: {said}{complaint}")
    return await_first(other, start_ms, lambda r: r.get("note") == "leads", "it leads") - start_ms


def leader_lost(_build):
    note(f"leader-lost: {ROUNDS} times kill -9, {ROUNDS} hand-overs; lease term {TERM_S:.0f} s, "
         f"request time-out {REQUEST_S:.0f} s")
    with Pair() as pair:
        for controller in pair.both():
            controller.limits = NO_LIMITS
            controller.start()
        lost = [lose_leader(pair, f"gpu-{1 + n % 3}") for n in range(ROUNDS)]
        yielded = [hand_over(pair) for _ in range(ROUNDS)]
    return [row("leader-lost", "kill_to_next_action", median(lost), "ms", limit=LOST_MAX_MS),
            row("leader-lost", "kill_to_next_action_worst", max(lost), "ms"),
            row("leader-lost", "yield_to_lead", median(yielded), "ms", limit=YIELD_MAX_MS),
            row("leader-lost", "yield_to_lead_worst", max(yielded), "ms")]


# Held, so that none of them is closed before they are counted: these nodes are well.
def incident(n):
    return {"version": 1, "cluster": "bench", "node": f"node-{n}", "epoch": 1, "incident": n,
            "opened_wall_ms": int(time.time() * 1000), "fault": "retirement", "phase": "wait-idle",
            "rung": 0, "tries": 0, "attempt": 1, "old_instance": "", "new_instance": "",
            "rule": "retirement", "code": "", "flags": ["our-drain", "held"]}


# Every member that this release writes (reconciler/io/store/history_json.c): a node that is no lemon.
NO_LEMON = {"day": 0, "serials": "", "bad1_instance": "", "bad1_serials": "", "bad2_instance": "",
            "bad2_serials": "", **{mark: "" for mark in (
                "xid", "out", "multi", "single", "rate", "suspect", "excluded", "ticket",
                "replaced")}}


def history(n):
    return {"version": 1, "cluster": "bench", "node": f"node-{n}", "epoch": 1, "history": {
        "writes": 1, "opened": [int(time.time() * 1000) - 86400000], "repairs": [], "launches": [],
        "destructive": [], "cooldown_until": 0, "yielded": "none", "flags": [], **NO_LEMON}}


def fill(world):
    def put(key, item):
        world.ask("POST", "item", {"table": "incidents", "item": {
            "pk": {"S": "item"}, "sk": {"S": key}, "item": {"S": json.dumps(item)}}})

    for n in range(1, NODES + 1):
        put(f"node-node-{n}", history(n))
    for n in range(1, OPEN + 1):
        put(f"incident-{n}", incident(n))


def endpoint_ms(world):
    """What the endpoint alone needs to show the same items."""
    start = time.perf_counter()
    items = world.ask("GET", "table?name=incidents")
    if len(items) < NODES + OPEN:
        raise Failure(f"{len(items)} items")
    return (time.perf_counter() - start) * 1000


def lease_taken_ms(world):
    """When the endpoint was asked to write the lease, by its own clock."""
    return next(r["time_ms"] for r in world.requests("PutItem") if not r["code"])


def ask_daemon(daemon, command):
    done = subprocess.run(
        [daemon.build / "bin" / "reconcilectl", "--socket", daemon.folder / "control.sock",
         "--json", command], capture_output=True, text=True, check=False, timeout=30)
    return json.loads(done.stdout) if done.returncode == 0 else None


def cpu_ms(process):
    """Processor time so far: proc(5), fields 14 and 15 of stat."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def is_ready(daemon):
    """It leads: everything that the store told has been folded before."""
    daemon.check()
    status = ask_daemon(daemon, "status")
    return status if status and status["lease"]["held"] else None


def one_adoption(build):
    world = EmbeddedWorld(build, NODES)
    daemon = Daemon(build, world.env(), world.queue_url, {
        "cluster": {"groups": [group(f"node-[1-{NODES}]")]},
        "lease": {"kind": "dynamodb", "table": "lease"},
        "incidents": {"kind": "dynamodb", "table": "incidents"},
        "slurm": simulated_slurm(build, world, "/dev/null")})
    try:
        fill(world)
        alone_ms = endpoint_ms(world)
        daemon.start()
        ready = []
        wait(lambda: ready.append(is_ready(daemon)) or ready[-1], "it leads", 60, 0.03)
        ready_ms, used_ms = time.time() * 1000, cpu_ms(daemon.process)
        adopted = len(ready[-1]["incidents"])
        if adopted != OPEN:
            raise Failure(f"{adopted} of {OPEN} incidents adopted")
        return ready_ms - lease_taken_ms(world), alone_ms, used_ms
    finally:
        daemon.close()
        world.close()


def adopt(build):
    note(f"adopt: {ADOPTIONS} times {NODES} nodes with a history each, {OPEN} open incidents")
    taken = [one_adoption(build) for _ in range(ADOPTIONS)]
    ready, alone, used = (median(times) for times in zip(*taken))
    return [row("adopt", "lease_to_ready", ready, "ms", limit=ADOPT_MAX_MS),
            row("adopt", "endpoint_alone", alone, "ms"),
            row("adopt", "daemon_processor", used, "ms")]
