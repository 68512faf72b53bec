"""The controller pair against rc-world: one leads, nothing is done twice, nothing is lost."""
import collections
import json
import signal
import sys
import time

from tests.pair.pair_world import MARGIN_S, REQUEST_S, TERM_S, Failed, Pair, wait

failures = 0


def check(good, sentence, more=""):
    global failures
    print(f"{'ok' if good else 'not ok'} - pair: {sentence}", flush=True)
    if not good:
        failures += 1
        for line in str(more).splitlines():
            print(f"#   {line}", flush=True)


def duplicates(changes):
    """Effects that happened twice: two launches of one token, an instance ended or stopped twice."""
    done = [r for r in changes if not r["code"]]
    launched = collections.defaultdict(set)
    for row in done:
        if row["action"] == "RunInstances":
            launched[row["token"]].update(row["instances"])
    ended = collections.Counter(i for row in done if row["action"] in
                                ("TerminateInstances", "StopInstances", "RebootInstances")
                                for i in row["instances"])
    return [t for t, ids in launched.items() if len(ids) > 1] + [i for i, n in ended.items() if n > 1]


def launches(pair):
    return {i for r in pair.changes() if r["action"] == "RunInstances" and not r["code"]
            for i in r["instances"]}


def repaired(pair, job, count=1):
    wait(lambda: pair.job_state(job) == "COMPLETED" and pair.healthy(), "the job is done", 60)
    check(len(launches(pair)) == count and not duplicates(pair.changes()),
          f"{count} launched, nothing twice", pair.changes())


def check_roles(pair):
    pair.a.start()
    first = pair.leader()
    pair.b.start()
    status = wait(lambda: pair.b.status(), "the standby answers")
    wait(lambda: (pair.b.status() or {}).get("lease", {}).get("owner"), "the standby sees the lease")
    status = pair.b.status()
    check(first is pair.a and not status["lease"]["held"] and status["lease"]["owner"] == "head-1"
          and status["lease"]["epoch"] == 1 and status["lease"]["since_ms"] > 0,
          "the first one leads in epoch 1, the other one stands by and says who leads", status)
    code, out, err = pair.b.ctl("hold", "gpu-1")
    check(code == 1 and "does not lead" in err, "a standby takes no orders", out + err)


def check_lost_leader(pair):
    """kill -9 in the middle of a repair; the other one has an empty journal of it."""
    job = pair.backend.submit(8, "gpu-2")
    pair.a.ctl("hold", "gpu-3")
    pair.backend.inject("terminate", "gpu-2")
    wait(lambda: launches(pair), "something is launched")
    received = pair.b.log()
    pair.a.kill()
    start = time.monotonic()
    pair.leader()
    took = time.monotonic() - start
    status = pair.b.status()
    check(took < TERM_S + REQUEST_S + 2, f"the successor leads after {took:.1f} s", took)
    check([i["node"] for i in status["incidents"]] == ["gpu-2"],
          "it goes on with what was in flight", status["incidents"])
    check(not any(r.get("event") == "message" for r in received),
          "the standby had received nothing from the queue")
    repaired(pair, job)
    why = pair.b.ctl("why", "gpu-3")[1]
    check("left alone until reconcilectl release" in why, "a hold outlives its controller", why)
    pair.b.ctl("release", "gpu-3")


def check_hand_over(pair):
    pair.a.start()
    wait(lambda: (pair.a.status() or {}).get("lease", {}).get("owner") == "head-2", "it stands by")
    start = time.monotonic()
    code, out, err = pair.b.ctl("lead", "--yield")
    took = time.monotonic() - start
    check(code == 0 and "head-1 leads now" in out and took < 1.3 and pair.a.leads(),
          f"lead --yield hands over in {took:.2f} s", out + err)
    start = time.monotonic()
    pair.a.signal(signal.SIGTERM)
    pair.a.process.wait(15)
    wait(pair.b.leads, "the other one leads", every=0.01)
    took = time.monotonic() - start
    check(took < 1.3, f"systemd's stop hands over in {took:.2f} s", took)
    pair.a.start()


def check_stopped_leader(pair):
    """SIGSTOP beyond the term, in the middle of a repair; then it wakes up."""
    before = len(pair.changes())
    leader = pair.leader()
    other = pair.other(leader)
    job = pair.backend.submit(8, "gpu-1")
    launched = len(launches(pair))
    pair.backend.inject("terminate", "gpu-1")
    wait(lambda: len(launches(pair)) > launched, "something is launched", every=0.005)
    leader.signal(signal.SIGSTOP)
    wait(other.leads, "the other one leads")
    epoch = other.status()["lease"]["epoch"]
    time.sleep(1)
    leader.signal(signal.SIGCONT)
    time.sleep(1.5)
    status = leader.status()
    check(not status["lease"]["held"] and status["lease"]["epoch"] == epoch and other.leads(),
          "a leader that slept beyond its term leads no more", status["lease"])
    wait(lambda: pair.job_state(job) == "COMPLETED" and pair.healthy(), "the job is done", 60)
    check(len(launches(pair)) == launched + 1 and not duplicates(pair.changes()),
          "and did nothing twice", pair.changes()[before:])


def check_table_away(pair):
    """Neither reaches the table: nobody acts, both say so; then it goes on."""
    before = len(pair.changes())
    for controller in pair.both():
        controller.proxy.set("shut")
    wait(lambda: not pair.a.leads() and not pair.b.leads(), "nobody leads")
    pair.backend.inject("terminate", "gpu-2")
    time.sleep(3)
    texts = [c.ctl("status")[1] for c in pair.both()]
    check(len(pair.changes()) == before, "without its table nobody acts", pair.changes()[before:])
    check(all("! lease:" in t for t in texts), "both say that the lease cannot be asked", texts[0])
    check(all("! nobody leads" in t and "held by nobody" in t for t in texts),
          "and that nobody leads, also the one that led", texts)
    orders = [c.ctl("pause")[2] for c in pair.both()]
    check(all("knows of none that does" in o for o in orders), "an order is sent to nobody in vain", orders)
    for controller in pair.both():
        controller.proxy.set("open")
    pair.leader()
    wait(pair.healthy, "it is repaired then", 60)
    check(not duplicates(pair.changes()), "when it is back, the repair is done once")


def check_one_cut_off(pair):
    """Only the leader cannot reach it (it hears nothing, not even a refusal)."""
    leader = pair.leader()
    other = pair.other(leader)
    leader.proxy.set("deaf")
    start = time.monotonic()
    wait(other.leads, "the other one leads")
    took = time.monotonic() - start
    check(not leader.leads() and took < TERM_S + REQUEST_S + 2,
          f"a leader that is cut off stops before the other one begins ({took:.1f} s)", took)
    leader.proxy.set("shut")
    leader.proxy.set("open")
    wait(lambda: leader.status()["lease"].get("owner") == other.name, "it stands by again")


def check_lost_answers(pair):
    """Answers of renewals and writes are lost; it keeps leading in its epoch."""
    leader = pair.leader()
    epoch = leader.status()["lease"]["epoch"]
    for action in ("PutItem", "TransactWriteItems"):
        pair.ask("fault", {"action": action, "lost": True, "count": 2})
    pair.backend.inject("terminate", "gpu-3")
    wait(pair.healthy, "it is repaired", 60) if not pair.healthy() else time.sleep(2)
    wait(pair.healthy, "it is repaired", 60)
    status = leader.status()
    check(status["lease"]["held"] and status["lease"]["epoch"] == epoch,
          "answers that are lost cost neither lease nor items", status["lease"])
    check(not duplicates(pair.changes()), "and nothing is done twice")


def stop_both(pair):
    for controller in pair.both():
        controller.stop()


def refused(pair, words, sentence):
    """Nobody leads; the one that holds the lease, or both, say why."""
    before = len(pair.changes())
    for controller in pair.both():
        controller.start()
    texts = []
    try:
        wait(lambda: any(words in c.ctl("status")[1] for c in pair.both()), f"one says {words}", 8)
        time.sleep(1)
        texts = [c.ctl("status")[1] for c in pair.both()]
        good = not pair.a.leads() and not pair.b.leads() and len(pair.changes()) == before
    except Failed as why:
        good = False
        texts = [str(why), *(c.words() for c in pair.both())]
    check(good, sentence, "\n".join(texts))
    stop_both(pair)


def check_bad_input(pair):
    stop_both(pair)
    kept = pair.table("lease")[0]
    rubbish = {**kept, "epoch": {"S": "seven"}}
    pair.put_item("lease", rubbish)
    refused(pair, '"epoch" is missing or wrong', "a lease item with rubbish is refused")
    pair.put_item("lease", {**kept, "cluster": {"S": "other"}})
    refused(pair, 'belongs to cluster "other"', "two clusters on one lease table are refused")
    pair.put_item("lease", {**kept, "epoch": {"N": "1"}})
    refused(pair, "has known epoch", "a lease that went back behind the journals is refused")
    pair.put_item("lease", kept)
    foreign = {"pk": {"S": "item"}, "sk": {"S": "incident-77"}, "item": {
        "S": '{"version":1,"cluster":"other","node":"n1","epoch":3}'}}
    pair.put_item("incidents", foreign)
    refused(pair, 'belongs to cluster "other"', "an item of another cluster is refused by its name")
    late = foreign["item"]["S"].replace('"other"', '"demo"').replace('"epoch":3', '"epoch":4000')
    late = late[:-1] + (',"incident":77,"opened_wall_ms":1,"fault":"retirement","phase":"open",'
                        '"rung":0,"tries":0,"attempt":1,"old_instance":"","new_instance":"",'
                        '"rule":"","code":"","flags":[]}')
    pair.put_item("incidents", {**foreign, "item": {"S": late}})
    refused(pair, "later than our epoch", "an item of an epoch from the future is refused")
    pair.ask("item", {"table": "incidents", "delete": {"pk": {"S": "item"},
                                                       "sk": {"S": "incident-77"}}})
    old = {"version": 1, "cluster": "demo", "node": "gpu-1", "epoch": 1, "history": {
        "opened": [], "repairs": [], "launches": [], "destructive": [], "cooldown_until": 0,
        "yielded": "none", "flags": ["held"]}}
    pair.put_item("incidents", {"pk": {"S": "item"}, "sk": {"S": "node-gpu-1"},
                                "item": {"S": json.dumps(old)}})
    for controller in pair.both():
        controller.forget()
        controller.start()
    leader = pair.leader()
    check(leader is not None, "once the table is right again, one leads")
    told = [r for r in leader.log() if r.get("note") == "old-history"]
    why = leader.ctl("why", "gpu-1")[1]
    check(len(told) == 1 and told[0]["first"] == "gpu-1" and "reconcilectl release" in why,
          "a history of an earlier release is taken, and told once", f"{told}\n{why}")


CHECKS = (check_roles, check_lost_leader, check_hand_over, check_stopped_leader, check_table_away,
          check_one_cut_off, check_lost_answers, check_bad_input)


def main():
    assert MARGIN_S * 3 <= TERM_S
    wanted = sys.argv[1:]
    with Pair() as pair:
        for function in CHECKS:
            if wanted and function.__name__ not in wanted and function is not check_roles:
                continue
            try:
                function(pair)
            except (Failed, OSError, RuntimeError, AttributeError, TypeError, KeyError) as why:
                check(False, f"{function.__name__} runs to its end",
                      f"{why!r}\n{pair.a.words()}\n{pair.b.words()}")
                break
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
