"""The pair on the DynamoDB of moto, a table that we did not write: it leads, hands over, and every
kind of rubbish in the tables is refused by name, with nothing done to the cluster."""
import contextlib
import json
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

from tests.pair import check_pair
from tests.pair.check_pair import check, duplicates, launches
from tests.pair.pair_world import CLUSTER, REGION, Failed, Pair, wait

SIGNED = (f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/dynamodb/aws4_request, "
          "SignedHeaders=host, Signature=0")


class Moto:
    def __init__(self, pair):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        server = Path(os.environ["RC_MOTO_PYTHON"]).parent / "moto_server"
        with open(pair.backend.home / "moto.log", "wb") as log:
            self.process = pair.backend.spawn([server, "-H", "127.0.0.1", "-p", str(self.port)],
                                              stdout=log, stderr=log)
        wait(self.answers, "moto answers", 40, 0.2)
        for name, keys in (("lease", ("pk",)), ("incidents", ("pk", "sk"))):
            self("CreateTable", {
                "TableName": name, "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": k, "KeyType": t}
                              for k, t in zip(keys, ("HASH", "RANGE"))],
                "AttributeDefinitions": [{"AttributeName": k, "AttributeType": "S"}
                                         for k in keys]})

    def close(self):
        self.process.terminate()
        self.process.wait(10)

    def answers(self):
        try:
            self("ListTables", {})
            return True
        except OSError:
            return False

    def __call__(self, operation, body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/", json.dumps(body).encode(),
            {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": SIGNED,
             "Content-Type": "application/x-amz-json-1.0"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def put(self, table, item):
        self("PutItem", {"TableName": table, "Item": item})

    def lease(self):
        return self("Scan", {"TableName": "lease"})["Items"][0]

    def forget(self, key):
        self("DeleteItem", {"TableName": "incidents", "Key": {"pk": {"S": "item"},
                                                              "sk": {"S": key}}})


def refused(pair, words, sentence):
    """Nobody leads, nothing is done to EC2 though a node is lost; status says why."""
    before = len(pair.changes())
    for controller in pair.both():
        controller.start()
    texts = []
    try:
        wait(lambda: any(words in line for c in pair.both()
                         for line in c.ctl("status")[1].splitlines() if line.startswith("! ")),
             f"one says {words}", 12)
        time.sleep(0.5)
        good = not pair.a.leads() and not pair.b.leads() and len(pair.changes()) == before
        texts = [c.ctl("status")[1] for c in pair.both()]
    except Failed as why:
        good = False
        texts = [str(why), *(c.ctl("status")[1] for c in pair.both())]
    check(good, sentence, "\n".join(texts))
    check_pair.stop_both(pair)


def check_serves(pair):
    for controller in pair.both():
        controller.start()
    leader = pair.leader(40)
    job = pair.backend.submit(6, "gpu-2")
    pair.backend.inject("terminate", "gpu-2")
    wait(lambda: launches(pair), "something is launched")
    leader.kill()
    other = pair.other(leader)
    wait(other.leads, "the other one leads", 30)
    wait(lambda: pair.job_state(job) == "COMPLETED" and pair.healthy(), "the repair's end", 60)
    check(len(launches(pair)) == 1 and not duplicates(pair.changes()),
          "on moto's table a repair outlives its leader, and is done once", pair.changes())
    leader.start()
    wait(lambda: (leader.status() or {}).get("lease", {}).get("owner") == other.name, "a standby")
    other.ctl("lead", "--yield")
    wait(leader.leads, "the first one leads again")
    check_pair.stop_both(pair)
    pair.backend.inject("terminate", "gpu-1")  # there is something to do all the while


def check_lease_items(pair, moto):
    kept = moto.lease()
    rows = (("epoch", {"S": "seven"}, '"epoch" is missing or wrong', "an epoch that is no number"),
            ("epoch", {"N": "-3"}, '"epoch" is missing or wrong', "an epoch below zero"),
            ("epoch", {"N": "999999999999999"}, '"epoch" is missing or wrong',
             "an epoch from the far future"),
            ("version", {"N": "9"}, "version 9, this release reads 1", "another version"),
            ("cluster", {"S": "other"}, f'belongs to cluster "other", not to "{CLUSTER}"',
             "two clusters on one table"),
            ("owner", {"S": "x" * 500}, '"owner" is missing or wrong', "an owner without an end"),
            ("epoch", {"N": "1"}, "has known epoch", "an epoch that went back"))
    for key, value, words, sentence in rows:
        moto.put("lease", {**kept, key: value})
        refused(pair, words, f"a lease with {sentence} is refused")
    moto.put("lease", {"pk": kept["pk"]})
    refused(pair, "is missing or wrong", "a lease item with nothing in it is refused")
    moto.put("lease", kept)


def check_stored_items(pair, moto):
    incident = {"version": 1, "cluster": CLUSTER, "node": "gpu-1", "epoch": 1, "incident": 77,
                "opened_wall_ms": 1, "fault": "retirement", "phase": "open", "rung": 0, "tries": 0,
                "attempt": 1, "old_instance": "", "new_instance": "", "rule": "", "code": "",
                "flags": []}
    rows = (({"cluster": "other"}, 'belongs to cluster "other"', "another cluster's item"),
            ({"epoch": 4000}, "later than our epoch", "an item of an epoch from the future"),
            ({"version": 2}, "version 2, this release reads 1", "an item of another version"),
            ({"fault": "gremlins"}, '"fault" is missing or wrong', "an unknown fault"),
            ({"incident": 78}, "the item is of incident 78", "an item under another's key"))
    for changed, words, sentence in rows:
        moto.put("incidents", {"pk": {"S": "item"}, "sk": {"S": "incident-77"},
                               "item": {"S": json.dumps({**incident, **changed})}})
        refused(pair, words, f"{sentence} is refused by its name")
    moto.put("incidents", {"pk": {"S": "item"}, "sk": {"S": "incident-77"},
                           "item": {"S": "{\"version\":1,"}})
    refused(pair, "incident-77 in table incidents", "half an item is refused by its name")
    moto.forget("incident-77")


def main():
    with contextlib.ExitStack() as after_the_pair, Pair() as pair:
        try:
            moto = Moto(pair)
            after_the_pair.callback(moto.close)
            for controller in pair.both():
                controller.proxy.to = moto.port
            check_serves(pair)
            check_lease_items(pair, moto)
            check_stored_items(pair, moto)
            for controller in pair.both():
                controller.start()
            pair.leader(40)
            wait(pair.healthy, "it is repaired", 60)
            check(True, "once the tables are right again, one leads and repairs")
        except (Failed, OSError, RuntimeError, KeyError, TypeError) as why:
            check(False, "the pair on moto's tables runs to its end",
                  f"{why!r}\n{pair.a.words()}\n{pair.b.words()}")
    return 1 if check_pair.failures else 0


if __name__ == "__main__":
    sys.exit(main())
