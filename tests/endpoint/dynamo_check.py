#!/usr/bin/env python3
"""Does rc-world's DynamoDB answer as moto's does? boto3 is the client of both.

    dynamo_check.py PATH-OF-RC-WORLD

The same calls go to both; what they answer (items, error codes, reasons, pages) must be equal.
Prints "ok - endpoint: dynamodb: …" lines; exit status 1 if any failed, 77 without moto."""
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
except ImportError:
    print("ok - endpoint: dynamodb # SKIP boto3 is not installed")
    sys.exit(77)

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
failures = 0


def check(good, sentence, detail=""):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - endpoint: dynamodb: {sentence}")
    if not good:
        print(f"#   {detail}")


def client(endpoint):
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                        config=Config(retries={"total_max_attempts": 1}, read_timeout=30))


def row(pk, sk="a", **more):
    item = {"pk": {"S": pk}, "sk": {"S": sk}}
    for name, value in more.items():
        item[name] = {"N": str(value)} if isinstance(value, int) else {"S": value}
    return item


def key(pk, sk="a"):
    return row(pk, sk)


def make_table(db):
    db.create_table(TableName="t", BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"},
                               {"AttributeName": "sk", "KeyType": "RANGE"}],
                    AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"}
                                          for n in ("pk", "sk")])
    db.get_waiter("table_exists").wait(TableName="t", WaiterConfig={"Delay": 1})


EPOCH = {"ExpressionAttributeNames": {"#e": "epoch"}}


def condition(text, **values):
    return {**EPOCH, "ConditionExpression": text,
            "ExpressionAttributeValues": {f":{n}": {"N": str(v)} for n, v in values.items()}}


# (sentence, operation, arguments): in order, on one table. Each answer is compared.
CALLS = [
    ("an absent item is no Item", "get_item", {"Key": key("x")}),
    ("a new item is put", "put_item", {"Item": row("l", epoch=7, owner="a")}),
    ("and read back", "get_item", {"Key": key("l"), "ConsistentRead": True}),
    ("attribute_not_exists refuses one that is there", "put_item",
     {"Item": row("l", epoch=8), "ConditionExpression": "attribute_not_exists(pk)"}),
    ("a failed condition brings the item when asked", "put_item",
     {"Item": row("l", epoch=8), "ConditionExpression": "attribute_not_exists(pk)",
      "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
    ("a condition on a number that holds", "put_item",
     {"Item": row("l", epoch=8), **condition("#e = :e AND #e < :m", e=7, m=10)}),
    ("numbers are compared as numbers", "put_item",
     {"Item": row("l", epoch=10), **condition("#e < :e", e=10)}),
    ("and refused as numbers", "put_item",
     {"Item": row("l", epoch=9), **condition("#e <= :e", e=9)}),
    ("OR and parentheses", "put_item",
     {"Item": row("l", epoch=11),
      **condition("attribute_not_exists(pk) OR (#e = :e AND NOT #e > :e)", e=10)}),
    ("a condition on an absent attribute fails", "put_item",
     {"Item": row("l", epoch=12), "ConditionExpression": "seq = :e",
      "ExpressionAttributeValues": {":e": {"N": "10"}}}),
    ("between", "delete_item", {"Key": key("l"), **condition("#e BETWEEN :a AND :b", a=1, b=5)}),
    ("the old item is returned", "put_item", {"Item": row("l", epoch=13), "ReturnValues": "ALL_OLD"}),
    ("an update sets, counts and removes", "update_item",
     {"Key": key("l"), "UpdateExpression": "SET #e = #e + :e, #o = :o REMOVE nothing",
      "ReturnValues": "ALL_NEW", "ExpressionAttributeNames": {"#e": "epoch", "#o": "owner"},
      "ExpressionAttributeValues": {":e": {"N": "1"}, ":o": {"S": "b"}}}),
    ("an update makes an item", "update_item",
     {"Key": key("new"), "UpdateExpression": "SET n = if_not_exists(n, :e)", "ReturnValues": "ALL_NEW",
      "ExpressionAttributeValues": {":e": {"N": "1"}}}),
    ("an update whose condition fails", "update_item",
     {"Key": key("l"), "UpdateExpression": "SET #e = :e", **condition("#e = :f", e=1, f=99)}),
    ("a delete of what is not there", "delete_item", {"Key": key("none")}),
    ("a delete", "delete_item", {"Key": key("new"), "ReturnValues": "ALL_OLD"}),
    ("an unknown table", "get_item", {"TableName": "nope", "Key": key("x")}),
    ("a key without its range", "get_item", {"Key": {"pk": {"S": "x"}}}),
    ("an item without its key", "put_item", {"Item": {"pk": {"S": "x"}}}),
    ("a transaction is done", "transact_write_items", {"TransactItems": [
        {"Update": {"TableName": "t", "Key": key("l"), "UpdateExpression": "SET seq = :n",
                    "ExpressionAttributeValues": {":n": {"N": "1"}}}},
        {"Put": {"TableName": "t", "Item": row("i", "1", node="gpu-1")}},
        {"Put": {"TableName": "t", "Item": row("i", "2", node="gpu-2")}},
        {"Delete": {"TableName": "t", "Key": key("i", "9")}}]}),
    ("a transaction is refused as a whole", "transact_write_items", {"TransactItems": [
        {"Put": {"TableName": "t", "Item": row("i", "3")}},
        {"Update": {"TableName": "t", "Key": key("l"), "UpdateExpression": "SET seq = :n",
                    "ConditionExpression": "seq = :o",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    "ExpressionAttributeValues": {":n": {"N": "3"}, ":o": {"N": "2"}}}}]}),
    ("nothing of it was done", "get_item", {"Key": key("i", "3")}),
    ("a check alone", "transact_write_items", {"TransactItems": [
        {"ConditionCheck": {"TableName": "t", "Key": key("l"),
                            "ConditionExpression": "attribute_exists(seq)"}},
        {"Put": {"TableName": "t", "Item": row("i", "4")}}]}),
    ("a partition is queried in order", "query",
     {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "i"}}}),
    ("and by the begin of its range", "query",
     {"KeyConditionExpression": "pk = :p AND begins_with(sk, :s)",
      "ExpressionAttributeValues": {":p": {"S": "i"}, ":s": {"S": "4"}}}),
    ("a query is limited, with the last key", "query",
     {"KeyConditionExpression": "pk = :p", "Limit": 2,
      "ExpressionAttributeValues": {":p": {"S": "i"}}}),
    ("and goes on behind it", "query",
     {"KeyConditionExpression": "pk = :p", "ExclusiveStartKey": key("i", "2"),
      "ExpressionAttributeValues": {":p": {"S": "i"}}}),
    ("several are read at once", "batch_get_item",
     {"RequestItems": {"t": {"Keys": [key("i", "1"), key("none")]}}}),
    ("several are written at once", "batch_write_item",
     {"RequestItems": {"t": [{"PutRequest": {"Item": row("b", "1")}},
                             {"DeleteRequest": {"Key": key("i", "1")}}]}}),
    ("everything is scanned", "scan", {}),
]
SKIPPED = ("ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics")
# Words differ between the two, and are not the protocol's.
WORDS = ("Message", "message")


def plain(value):
    """Without what may differ: request ids, words, the order of a scan."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in sorted(value.items()) if k not in SKIPPED + WORDS}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def answer(db, operation, arguments):
    if operation not in ("transact_write_items", "batch_get_item", "batch_write_item"):
        arguments = {"TableName": "t", **arguments}
    try:
        found = plain(getattr(db, operation)(**arguments))
    except ClientError as error:
        response = error.response
        return {"error": response["Error"]["Code"], "status": response["ResponseMetadata"]
                ["HTTPStatusCode"], "item": response.get("Item"),
                "reasons": plain(response.get("CancellationReasons", []))}
    if operation == "scan":
        found["Items"].sort(key=json.dumps)
    return found


def check_same(world, moto):
    for sentence, operation, arguments in CALLS:
        ours, theirs = answer(world, operation, arguments), answer(moto, operation, arguments)
        check(ours == theirs, f"{sentence}, as moto has it", f"{ours}\n#   moto: {theirs}")


def check_pages(db):
    for n in range(30):
        db.put_item(TableName="incidents", Item={"pk": {"S": "item"}, "sk": {"S": f"{n:03}"},
                                                 "text": {"S": "x" * 100000}})
    pages = list(db.get_paginator("query").paginate(
        TableName="incidents", KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "item"}}))
    check(len(pages) == 3 and sum(p["Count"] for p in pages) == 30,
          "a page holds at most a megabyte", [p["Count"] for p in pages])
    try:
        db.put_item(TableName="lease", Item={"pk": {"S": "x"}, "t": {"S": "x" * 410000}})
        check(False, "an item of more than 400 KB is refused")
    except ClientError as error:
        check(error.response["Error"]["Code"] == "ValidationException",
              "an item of more than 400 KB is refused", error)


def check_tokens(db):
    put = [{"Put": {"TableName": "lease", "Item": {"pk": {"S": "once"}}}}]
    db.transact_write_items(TransactItems=put, ClientRequestToken="token-1")
    db.delete_item(TableName="lease", Key={"pk": {"S": "once"}})
    db.transact_write_items(TransactItems=put, ClientRequestToken="token-1")
    check("Item" not in db.get_item(TableName="lease", Key={"pk": {"S": "once"}}),
          "a transaction's token makes it happen once")
    other = [{"Put": {"TableName": "lease", "Item": {"pk": {"S": "twice"}}}}]
    try:
        db.transact_write_items(TransactItems=other, ClientRequestToken="token-1")
        check(False, "the same token with other actions is refused")
    except ClientError as error:
        check(error.response["Error"]["Code"] == "IdempotentParameterMismatchException",
              "the same token with other actions is refused", error)


def check_faults(db, endpoint):
    def ask(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{endpoint}/_world/{path}", data, 10) as reply:
            return json.load(reply)

    ask("fault", {"action": "PutItem", "code": "ProvisionedThroughputExceededException",
                  "status": 400})
    try:
        db.put_item(TableName="lease", Item={"pk": {"S": "f"}})
        check(False, "a throttled write can be asked for")
    except db.exceptions.ProvisionedThroughputExceededException:
        check(True, "a throttled write can be asked for")
    ask("fault", {"action": "PutItem", "lost": True})
    try:
        db.put_item(TableName="lease", Item={"pk": {"S": "lost"}})
        check(False, "an answer can be lost")
    except (HTTPClientError, EndpointConnectionError):
        check("Item" in db.get_item(TableName="lease", Key={"pk": {"S": "lost"}}),
              "an answer can be lost, its effect stays")
    try:
        db.put_item(TableName="lease", Item={"pk": {"S": "f"}},
                    ConditionExpression="pk = :no")
        check(False, "a value that is not defined is refused")
    except ClientError as error:
        check(error.response["Error"]["Code"] == "ValidationException",
              "a value that is not defined is refused", error)
    ask("item", {"table": "lease", "item": {"pk": {"S": "hand"}, "x": {"N": "1"}}})
    check({"pk": {"S": "hand"}, "x": {"N": "1"}} in ask("table?name=lease"),
          "an item is written by hand, and the table is shown")
    log = ask("requests?action=PutItem")
    check(log and log[-1]["service"] == "dynamodb", "calls stand in the request log", log[-1:])
    try:
        client_wrong = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                                    aws_access_key_id=KEY, aws_secret_access_key="wrong",
                                    config=Config(retries={"total_max_attempts": 1}))
        client_wrong.scan(TableName="lease")
        check(False, "a wrong secret is refused")
    except ClientError as error:
        check(error.response["Error"]["Code"] == "InvalidSignatureException"
              and error.response["ResponseMetadata"]["HTTPStatusCode"] == 400,
              "a wrong secret is refused", error)


def start_moto(port):
    program = Path(sys.executable).parent / "moto_server"
    if not program.exists():
        print("ok - endpoint: dynamodb # SKIP moto is not installed")
        sys.exit(77)
    process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=2).close()
            return process
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError("moto does not answer")


def main():
    port = 21000 + os.getpid() % 9000
    moto = start_moto(port)
    world = subprocess.Popen([sys.argv[1], "--with-parent"], text=True, stdout=subprocess.PIPE)
    try:
        endpoint = json.loads(world.stdout.readline())["endpoint"]
        ours, theirs = client(endpoint), client(f"http://127.0.0.1:{port}")
        for db in (ours, theirs):
            make_table(db)
        check_same(ours, theirs)
        check_pages(ours)
        check_tokens(ours)
        check_faults(ours, endpoint)
    finally:
        for process in (world, moto):
            process.terminate()
            process.wait(10)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
