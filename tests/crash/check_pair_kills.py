"""Both controllers are killed, stopped and cut off by a drawn schedule while nodes break; once
that ends, the cluster is whole, and nothing has been done twice.

    python3 -m tests.crash.check_pair_kills [SEED [SECONDS]]"""
import json
import random
import signal
import sys
import threading
import time

from tests.crash.check_boundaries import tell
from tests.crash.crash_story import QUICK, duplicates
from tests.pair.pair_world import Failed, Pair, wait

SEEDS, SECONDS = (11, 12, 13), 45
# The shipped policy allows eight launches an hour: launches that each leader counts anew when the one
# before tells of them would leave a node waiting for the next hour. One that no leader could save
# may count twice, when the next one asks for it again.
BREAKS = 5
# What ends at once: a notice, or a check that goes on failing, is waited for by policy.
FAULTS = ("terminate",)


def trouble(chance, controller, end):
    """One controller's life until the end: dies, sleeps, loses the table, in turns."""
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.2, 4))
        kind = chance.choice(("kill", "kill", "stop", "shut", "deaf", "yield"))
        if kind == "kill":
            controller.kill()
            time.sleep(chance.uniform(0, 3))
            if chance.random() < 0.3:
                controller.forget()
            controller.start()
        elif kind == "stop":
            controller.signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.5, 6))
            controller.signal(signal.SIGCONT)
        elif kind == "yield":
            controller.ctl("lead", "--yield")
        else:
            controller.proxy.set(kind)
            time.sleep(chance.uniform(0.5, 5))
            controller.proxy.set("open")


def break_nodes(chance, pair, end):
    broken = 0
    while time.monotonic() < end and broken < BREAKS:
        time.sleep(chance.uniform(1, 6))
        try:
            pair.backend.inject(chance.choice(FAULTS), f"gpu-{chance.randint(1, 3)}")
            broken += 1
        except RuntimeError:
            pass  # the node has no instance at this moment
        for action in ("RunInstances", "TransactWriteItems", "PutItem"):
            if chance.random() < 0.15:
                pair.ask("fault", {"action": action, "lost": True})


def play(seed, seconds):
    chance = random.Random(seed)
    with Pair() as pair:
        pair.ask("delays", QUICK)
        for controller in pair.both():
            controller.timeouts = {"gate": "5s"}
            controller.start()
        pair.leader(40)
        end = time.monotonic() + seconds
        lives = [threading.Thread(target=trouble, args=(random.Random(chance.random()), c, end))
                 for c in pair.both()]
        for life in lives:
            life.start()
        break_nodes(chance, pair, end)
        for life in lives:
            life.join()
        for controller in pair.both():
            controller.proxy.set("open")
            if controller.process.poll() is not None:
                controller.start()

        def whole():
            """Every node serves, but for those that policy gave up after so many repairs."""
            for controller in pair.both():
                controller.ctl("breaker", "reset")  # a storm by our own hand; a standby refuses
            ours = [json.loads(r["item"]["S"]) for r in pair.table("incidents")
                    if r["sk"]["S"].startswith("incident-")]
            given_up = {i["node"] for i in ours if i["phase"] == "quarantine"}
            nodes, _, _ = pair.backend.look(0)
            return (all(i["node"] in given_up for i in ours)
                    and all(n.in_service or name in given_up for name, n in nodes.items()))

        try:
            wait(whole, "the cluster is whole", 90, 0.3)
        except Failed as why:
            state = pair.ask("state")
            said = [c.ctl("status")[1] for c in pair.both()]
            return (f"{why}\n{said[0]}\n{said[1]}\n{[r for r in pair.table('incidents') if 'node' not in r['sk']['S']]}\n"
                    f"{state['nodes']}\n{state['instances']}\n{pair.a.words()}\n{pair.b.words()}")
        launched, twice = duplicates(pair.changes())
        return f"twice: {twice}\n{pair.changes()}" if twice else ""


def main():
    seeds = (int(sys.argv[1]),) if len(sys.argv) > 1 else SEEDS
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    failed = 0
    for seed in seeds:
        why = play(seed, seconds)
        failed += tell(not why, f"a pair killed, stopped and cut off for {seconds:.0f} s (seed "
                       f"{seed}): whole in the end, nothing twice", why)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
