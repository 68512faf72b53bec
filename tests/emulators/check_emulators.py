"""Checks of the AWS room against real emulators, run by run.sh from the project's root.

aws_client is the room as a command; what it prints is parsed into rows of words.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3

from tests.emulators import check_objects, check_store
from tests.emulators.servers import CACHE, Servers, free_port
from tests.real.lifeline import Lifeline

CLIENT = os.environ["RC_TEST_BUILD"] + "/tests/aws_client"
REGION = "us-east-1"
RUNNING, STOPPED, TERMINATED = "2", "4", "6"
POLICY = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:*","sts:*",'
          '"dynamodb:*","s3:*"],'
          '"Resource":"*"}]}')
failures = 0


def check(good, sentence, more=""):
    global failures
    print(f"{'ok' if good else 'not ok'} - emulators: {sentence}", flush=True)
    if not good:
        failures += 1
        print(f"#   {more}", flush=True)


class Result:
    """What one run of aws_client printed: rows of (word, {key: value})."""

    def __init__(self, output):
        self.output, self.rows = output, []
        for line in output.splitlines():
            kind, *pairs = line.split(" ")
            self.rows.append((kind, dict(p.split("=", 1) for p in pairs if "=" in p)))

    def all(self, kind):
        return [fields for word, fields in self.rows if word == kind]

    def one(self, kind):
        rows = self.all(kind)
        return rows[0] if rows else {}

    @property
    def error(self):
        return self.one("done").get("error")

    @property
    def attempts(self):
        return [row["error"] for row in self.all("attempt")]

    def __str__(self):
        return self.output.replace("\n", "\n#   ")


class Client:
    def __init__(self, folder, endpoint, key="a", secret="b", **environment):
        self.options = []
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true", **environment}

    def __call__(self, *words, **environment):
        done = subprocess.run([CLIENT, *self.options, *words], capture_output=True, text=True,
                              timeout=90, check=False, env={**self.environment, **environment})
        if done.returncode:
            return Result(f"done error=crash-{done.returncode} {done.stdout}{done.stderr}")
        return Result(done.stdout)

    def through(self, proxy):
        other = Client.__new__(Client)
        other.environment = self.environment
        other.options = [*self.options, "--connect-to", proxy.connect_to]
        return other


def boto(service, endpoint, key="test", secret="test"):
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION,
                        aws_access_key_id=key, aws_secret_access_key=secret)


def launch_template(endpoint):
    ec2 = boto("ec2", endpoint)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={
        "ImageId": image, "InstanceType": "c5.large"})
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    return made["LaunchTemplate"]["LaunchTemplateId"], subnet


def check_ec2(client, template, subnet):
    run = client("run", template, "1", "tok-1", "gpu-1", subnet)
    row = run.one("instance")
    check(run.error == "ok" and row.get("ours") == "1" and row.get("node") == "gpu-1"
          and row.get("subnet") == subnet and row.get("addr"),
          "moto launches the pinned template version, and the row is ours", run)
    name = row.get("id", "i-0")
    client.options = ["--cluster", "other"]
    client("run", template, "1", "tok-2", "gpu-1", subnet)
    client.options = []
    listed = client("describe-cluster")
    check(listed.one("result").get("complete") == "1"
          and [i["id"] for i in listed.all("instance")] == [name]
          and listed.one("instance")["state"] == RUNNING,
          "only this cluster's instances are described", listed)
    status = client("status-all")
    check(status.one("result").get("complete") == "1" and len(status.all("status")) == 2
          and status.one("status")["system"] == "1", "status checks of all are read", status)
    unknown = client("describe", name, "i-0123456789abcdef0")
    check(unknown.error == "not-found" and unknown.one("result")["complete"] == "0",
          "an unknown id fails its call and nothing counts as read", unknown)
    for verb, state in (("stop", STOPPED), ("start", RUNNING), ("reboot", RUNNING),
                        ("tag", RUNNING), ("terminate", TERMINATED)):
        done, seen = client(verb, name), client("describe", name)
        check(done.error == "ok" and seen.one("instance").get("state") == state,
              f"{verb} is accepted and seen", f"{done}{seen}")
    console = client("console", name)
    check(console.error == "ok" and "Linux version" in console.output,
          "console output is decoded", console)
    wrong = client("run", template, "99", "tok-3", "gpu-1", subnet)
    check(wrong.error == "not-found" and wrong.attempts == ["not-found"],
          "a template version that does not exist is told, once", wrong)


def error_rule(operation, code, status, **more):
    return {"service": "*", "operation": operation, "error": {"code": code, "status": status},
            **more}


def check_faults(client, proxy, template, subnet):
    broken = client.through(proxy)
    proxy.rules(error_rule("DescribeInstances", "RequestLimitExceeded", 503, times=2))
    done = broken("describe-cluster")
    check(done.error == "ok" and done.attempts == ["throttled", "throttled", "ok"],
          "throttling is waited out", done)
    proxy.rules(error_rule("RunInstances", "InsufficientInstanceCapacity", 500))
    done = broken("run", template, "1", "tok-c", "gpu-2", subnet)
    check(done.error == "no-capacity" and len(done.attempts) == 1,
          "no capacity is a 500 that is not tried again", done)
    proxy.rules(error_rule("TerminateInstances", "InternalError", 500))
    done = broken("terminate", "i-0123456789abcdef0")
    check(done.error == "server-fault" and len(done.attempts) == 3,
          "a lasting server fault ends after three attempts", done)
    proxy.rules({"service": "*", "operation": "DescribeInstances", "reset": True, "times": 1})
    done = broken("describe-cluster")
    check(done.error == "ok" and len(done.attempts) == 2, "a reset connection is tried again", done)
    proxy.rules({"service": "*", "operation": "DescribeInstances", "times": 1,
                 "response": {"truncate_frac": 0.5}})
    done = broken("describe-cluster")
    check(done.error == "ok" and done.attempts == ["cut-short", "ok"],
          "a reply cut short is asked for again", done)
    proxy.rules({"service": "*", "operation": "DescribeInstances",
                 "response": {"corrupt_bytes": 24}})
    results = [broken("describe-cluster") for _ in range(10)]
    check(all(r.error in ("ok", "unreadable", "cut-short") for r in results),
          "a corrupt reply is refused or read, never more", "\n".join(map(str, results)))
    proxy.rules(error_rule("DescribeInstances", "ExpiredTokenException", 400))
    done = broken("describe-cluster")
    check(done.error == "credentials" and done.attempts.count("credentials") == 2
          and done.all("attempt")[1]["status"] == "0",
          "expired credentials are looked up again, and the same ones are not sent twice", done)


def check_lost_answer(client, servers):
    upstream = servers.moto_with_tokens()
    template, subnet = launch_template(upstream)
    proxy = servers.microburst(upstream)
    proxy.rules({"service": "ec2", "operation": "RunInstances", "times": 1,
                 "response": {"abort_bytes": 0}})
    client.environment["AWS_ENDPOINT_URL"] = upstream
    done = client.through(proxy)("run", template, "1", "tok-lost", "gpu-1", subnet)
    rows = boto("ec2", upstream).describe_instances()["Reservations"]
    check(done.error == "ok" and len(done.attempts) == 2 and len(rows) == 1
          and rows[0]["Instances"][0]["InstanceId"] == done.one("instance").get("id"),
          "a launch whose answer is lost is found again by its token", f"{done}{len(rows)} launched")


def check_sqs(client, queue, server):
    sent = client("send", queue, 'a "quoted" body')
    got = client("receive", queue)
    check(sent.error == "ok" and 'body=a "quoted" body' in got.output
          and got.one("message").get("receives") == "1"
          and abs(int(got.one("message")["sent"]) / 1000 - time.time()) < 60,
          f"{server} delivers a message with its attributes", got)
    gone = client("delete", queue, "no-such-receipt")
    check(gone.error == "ok" and gone.one("entry").get("error") != "ok",
          f"{server} refuses one entry of a batch, and that is seen", gone)
    counts = client("attributes", queue)
    check(counts.one("attributes").get("not_visible") == "1", f"{server} tells its counts", counts)


def check_drain(client, queue, sqs, count):
    for first in range(0, count, 10):
        sqs.send_message_batch(QueueUrl=queue, Entries=[
            {"Id": str(i), "MessageBody": f"m{first + i}"} for i in range(10)])
    start = time.monotonic()
    done = client("drain", queue)
    seconds = time.monotonic() - start
    check(done.one("received").get("drained") == str(count), f"{count} messages are drained", done)
    print(f"# {count / seconds:.0f} messages/s, the last empty poll of 1 s included", flush=True)


def ministack_user(endpoint):
    iam = boto("iam", endpoint)
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=POLICY)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def check_signatures(client, queue, session):
    done = client("send", queue, "with a session", AWS_ACCESS_KEY_ID=session["AccessKeyId"],
                  AWS_SECRET_ACCESS_KEY=session["SecretAccessKey"],
                  AWS_SESSION_TOKEN=session["SessionToken"])
    check(done.error == "ok", "a session token is signed as AWS wants it", done)
    done = client("send", queue, "x", AWS_ACCESS_KEY_ID=session["AccessKeyId"],
                  AWS_SECRET_ACCESS_KEY=session["SecretAccessKey"], AWS_SESSION_TOKEN="forged")
    check(done.error == "credentials", "a wrong session token is refused", done)
    for shift in ("3600", "-3600"):
        done = client("send", queue, "x", CLOCK_SHIFT_S=shift)
        check(done.error == "ok" and done.attempts == ["credentials", "ok"],
              f"a clock that is {shift} s off is corrected at the first answer", done)
    done = client("send", queue, "x", AWS_SECRET_ACCESS_KEY="wrong")
    check(done.error == "credentials" and sum(r["status"] != "0" for r in done.all("attempt")) == 1,
          "a wrong secret is told and sent only once", done)
    done = client("describe-cluster")
    check(done.error == "denied" and len(done.attempts) == 1,
          "an action that the policy does not allow is told", done)
    done = client("describe-cluster", CLOCK_SHIFT_S="3600")
    check(done.error == "denied" and done.attempts == ["credentials", "denied"],
          "the Query protocol's signature is right, too, once the clock is corrected", done)


def check_ministack(servers, folder):
    endpoint = servers.ministack()
    key, secret = ministack_user(endpoint)
    sqs = boto("sqs", endpoint)
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    bulk = sqs.create_queue(QueueName="bulk")["QueueUrl"]
    client = Client(folder, endpoint, key, secret)
    check_sqs(client, queue, "ministack")
    session = boto("sts", endpoint, key, secret).get_session_token()["Credentials"]
    check_signatures(client, queue, session)
    check_drain(client, bulk, sqs, 300)
    s3 = boto("s3", endpoint)
    path = check_objects.check_objects(check, client, s3, folder, "ministack")
    check_objects.check_object_signatures(check, client, s3, path)
    proxy = servers.microburst(endpoint)
    proxy.rules(error_rule("SendMessage", "RequestThrottled", 403, times=1))
    done = client.through(proxy)("send", queue, "x")
    check(done.error == "ok" and done.attempts == ["throttled", "ok"],
          "through a proxy the signature stays that of the real host", done)


def check_stores(servers, folder, moto):
    """The DynamoDB forms against moto, and against ministack with its signatures checked."""
    endpoint = servers.ministack()
    key, secret = ministack_user(endpoint)
    for name, url, *keys in (("moto", moto, "a", "b"), ("ministack", endpoint, key, secret)):
        store = check_store.Store(Client(folder, url, *keys).environment)
        check_store.make_tables(boto("dynamodb", url))
        check_store.check_lease(check, store, name)
        check_store.check_items(check, store, name)
        if name == "moto":
            check_store.check_lost_answers(check, store, servers.microburst(url))


def check_metadata(servers, folder):
    if not (CACHE / "bin/ec2-metadata-mock").exists():
        print("ok - emulators: instance metadata # SKIP needs Go to build its mock", flush=True)
        return
    until = datetime.now(timezone.utc) + timedelta(hours=1)
    fresh = {"metadata": {"values": {"iam-security-credentials": {
        "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
        "AccessKeyId": "ASIAMOCK", "SecretAccessKey": "s", "Token": "t",
        "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}}}}
    bare = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": ""}
    client = Client(folder, "http://127.0.0.1:1", **bare)
    client.environment.update(bare)
    client.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = servers.metadata(fresh)
    done = client("identity")
    check(done.one("identity").get("region") == REGION, "the identity document is read", done)
    done = client("credentials")
    check(done.one("credentials") == {"source": "instance", "key": "ASIAMOCK", "token": "1",
                                      "expires": str(int(until.timestamp()) * 1000)},
          "the role's credentials come by IMDSv2", done)
    client.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = servers.metadata()
    done = client("credentials")
    check(done.error == "credentials" and "expired at 2020" in done.output,
          "expired role credentials are told with their date", done)
    client.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
    done = client("receive", "q")
    check(done.error == "credentials" and not [r for r in done.all("attempt") if r["n"] != "0"],
          "without any credentials nothing is sent", done)


def main():
    folder = Path(tempfile.mkdtemp(prefix="rc-emulators-"))
    world = Lifeline(folder)
    try:
        servers = Servers(world, folder)
        moto = servers.moto()
        template, subnet = launch_template(moto)
        client = Client(folder, moto)
        check_ec2(client, template, subnet)
        queue = boto("sqs", moto).create_queue(QueueName="q")["QueueUrl"]
        check_sqs(client, queue, "moto")
        check_faults(client, servers.microburst(moto), template, subnet)
        check_lost_answer(Client(folder, moto), servers)
        path = check_objects.check_objects(check, client, boto("s3", moto), folder, "moto")
        check_objects.check_object_faults(check, client, servers.microburst(moto),
                                          boto("s3", moto), path)
        check_ministack(servers, folder)
        check_stores(servers, folder, moto)
        check_metadata(servers, folder)
        done = Client(folder, f"http://127.0.0.1:{free_port()}")("receive", "q")
        check(done.error == "unreachable" and len(done.attempts) == 3,
              "a queue that cannot be reached is told after three attempts", done)
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
