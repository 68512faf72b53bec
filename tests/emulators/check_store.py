"""Lease and incident store in the DynamoDB of moto and ministack; called by check_emulators."""
import os
import subprocess

CLIENT = os.environ.get("RC_TEST_BUILD", "build/test") + "/tests/store_client"
RACERS, ROUNDS = 6, 15


def make_tables(dynamodb):
    for name, keys in (("lease", ("pk",)), ("incidents", ("pk", "sk"))):
        dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": k, "KeyType": t}
                       for k, t in zip(keys, ("HASH", "RANGE"))],
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys])


class Store:
    def __init__(self, environment):
        self.environment = environment

    def start(self, *words, **more):
        return subprocess.Popen([CLIENT, *map(str, words)], stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.STDOUT, env={**self.environment, **more})

    def __call__(self, *words, **more):
        return self.start(*words, **more).communicate(timeout=120)[0]


def check_lease(check, store, name):
    racers = [store.start("race", "lease", ROUNDS, OWNER=f"racer-{i}") for i in range(RACERS)]
    said = [r.communicate(timeout=300)[0] for r in racers]
    epochs = [int(line.split()[1]) for text in said for line in text.splitlines()
              if line.startswith("epoch")]
    if name == "moto":  # judges a condition and writes in two steps: on a busy machine both win
        check(len(epochs) == RACERS * ROUNDS,
              f"{name}: {RACERS} take the lease {ROUNDS} times each", "\n".join(said)[-1500:])
    else:
        check(len(epochs) == RACERS * ROUNDS == len(set(epochs)) and max(epochs) == len(epochs),
              f"{name}: {RACERS} take the lease {ROUNDS} times each, and no epoch has two owners",
              "\n".join(said)[-1500:])
    said = store("steps", "lease", "acquire", "renew", "renew", "observe", OWNER="a", HOLDER="h")
    rows = said.splitlines()
    check(len(rows) == 4 and all("error=ok owner=a" in r and "held=1 mine=1" in r for r in rows),
          f"{name}: a lease is renewed", said)
    other = store("steps", "lease", "acquire", OWNER="b")
    check("error=condition-failed owner=a" in other and "mine=0" in other,
          f"{name}: another one is refused and told who leads", other)
    again = store("steps", "lease", "acquire", OWNER="a", HOLDER="h")
    check("error=ok owner=a" in again, f"{name}: a later life of the holder takes it at once", again)
    late = store("steps", "lease", "acquire", "sleep", "renew", OWNER="a", HOLDER="h")
    check(late.splitlines()[-1].startswith("step error=no-lease"),
          f"{name}: one that slept beyond its term has it no more", late)
    foreign = store("steps", "lease", "acquire", CLUSTER="other")
    check('belongs to cluster "test", not to "other"' in foreign,
          f"{name}: another cluster's lease is refused", foreign)


def check_items(check, store, name):
    said = store("fill", "incidents", 5, 300)
    check("stored refused=0" in said, f"{name}: 300 incidents and histories are written", said)
    said = store("list", "incidents", 6)
    check("found error=ok incidents=270 histories=300" in said,
          f"{name}: a successor finds them, without those that were removed", said)
    said = store("put", "incidents", 0, 5)
    check("first-refusal error=condition-failed" in said and "refused=3" in said,
          f"{name}: an epoch that has not listed may not write", said)
    said = store("list", "incidents", 5)
    check("found error=condition-failed" in said and "epoch 5 is over: epoch 6" in said,
          f"{name}: an earlier epoch is refused by name", said)
    said = store("list", "incidents", 7, CLUSTER="other")
    check("found error=foreign" in said and 'cluster "test"' in said,
          f"{name}: another cluster's items are refused", said)


def check_lost_answers(check, store, proxy):
    broken = Store({**store.environment, "CONNECT_TO": proxy.connect_to})
    for operation, words in (("PutItem", ("steps", "lease", "acquire", "renew")),
                             ("TransactWriteItems", ("fill", "incidents", 20, 40))):
        proxy.rules({"service": "dynamodb", "operation": operation, "times": 1,
                     "response": {"abort_bytes": 0}})
        said = broken(*words, OWNER="a", HOLDER="h")
        good = "refused=0" in said if words[0] == "fill" else said.count("error=ok") == 2
        check(good, f"a {operation} whose answer is lost is known again", said)
    proxy.rules({"service": "dynamodb", "operation": "PutItem", "times": 1, "error": {
        "code": "ProvisionedThroughputExceededException", "status": 400}})
    said = broken("steps", "lease", "acquire", OWNER="a", HOLDER="h")
    check("error=ok" in said, "a throttled write is tried again", said)
