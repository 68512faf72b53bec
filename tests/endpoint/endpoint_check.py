#!/usr/bin/env python3
"""Does rc-world answer as AWS does? boto3, which we did not write, is the client.

    endpoint_check.py PATH-OF-RC-WORLD

Prints a line "ok - endpoint: …" or "not ok - endpoint: …" for each check; exit
status 1 if any failed, 77 if boto3 is not installed. Each group of checks has an
rc-world of its own, which ends with it.
"""
import base64
import datetime
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

try:
    import boto3
    import botocore.auth
    from botocore.config import Config
    from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
except ImportError:
    print("ok - endpoint: boto3 is the client # SKIP boto3 is not installed")
    sys.exit(77)

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEMPLATE = {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "1"}
SUBNET_A, SUBNET_B, SUBNET_C = ("subnet-0" + c * 16 for c in "abc")
FAST = ("--launch-ms", "200", "--boot-ms", "200", "--stop-ms", "200", "--terminate-ms", "200",
        "--reboot-ms", "300", "--initializing-ms", "500", "--release-ms", "0")

failures = 0


def check(good, sentence, detail=""):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - endpoint: {sentence}")
    if not good and detail != "":
        print(f"#   {detail}")


def refused(code, status, call, **arguments):
    """The call must be refused with this code (and status, if given); "" or what came instead."""
    try:
        return f"no error: {call(**arguments)}"
    except ClientError as error:
        got = error.response["Error"]["Code"]
        http = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return "" if (got, http) == (code, status) else f"{got} {http}, not {code} {status}"


def until(condition, seconds=5.0):
    """Waits for what must become true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class World:
    """An rc-world, its clients, and its /_world."""

    def __init__(self, program, *flags):
        self.process = subprocess.Popen([program, "--with-parent", *flags], text=True,
                                        stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())
        self.endpoint = self.ready["endpoint"]
        self.queue = self.ready["queue_url"]
        self.sqs, self.ec2, self.sts = (self.client(name) for name in ("sqs", "ec2", "sts"))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.terminate()
        status = self.process.wait(10)
        self.process.stdout.close()
        if what[0] is None:
            check(status == 0, "rc-world ends with 0 on SIGTERM", status)

    def client(self, service, key=KEY, secret=SECRET, token=None, region="us-east-1"):
        return boto3.client(service, endpoint_url=self.endpoint, region_name=region,
                            aws_access_key_id=key, aws_secret_access_key=secret,
                            aws_session_token=token,
                            config=Config(retries={"total_max_attempts": 1}, read_timeout=30))

    def admin(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.endpoint}/_world/{path}", data, 10) as answer:
            return json.load(answer)

    def http(self, method, path, **headers):
        """Status and text of a bare request."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.endpoint + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def launch(self, token="", **more):
        arguments = {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": TEMPLATE,
                     "SubnetId": SUBNET_A}
        if token:
            arguments["ClientToken"] = token
        arguments.update(more)
        return self.ec2.run_instances(**arguments)["Instances"]

    def instance(self, instance_id):
        found = self.ec2.describe_instances(InstanceIds=[instance_id])
        return found["Reservations"][0]["Instances"][0]

    def state(self, instance_id):
        return self.instance(instance_id)["State"]["Name"]

    def running(self, **more):
        instance_id = self.launch(**more)[0]["InstanceId"]
        until(lambda: self.state(instance_id) == "running")
        return instance_id

    def receive(self, **more):
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, **more)
        return answer.get("Messages", [])


def check_sqs_messages(w):
    sent = w.sqs.send_message(QueueUrl=w.queue, MessageBody="hello <&> \u00e4")
    got = w.receive(MessageSystemAttributeNames=["All"], VisibilityTimeout=1)
    check(len(got) == 1 and got[0]["Body"] == "hello <&> \u00e4"
          and got[0]["MessageId"] == sent["MessageId"]
          and got[0]["MD5OfBody"] == sent["MD5OfMessageBody"], "a sent message is received", got)
    check(got[0]["Attributes"]["ApproximateReceiveCount"] == "1"
          and abs(int(got[0]["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 5,
          "system attributes are texts", got)
    check(w.receive() == [], "a received message is hidden")
    again = w.receive(VisibilityTimeout=30, WaitTimeSeconds=5)
    check([m["MessageId"] for m in again] == [sent["MessageId"]],
          "it comes back after its visibility time-out", again)
    w.sqs.delete_message(QueueUrl=w.queue, ReceiptHandle=got[0]["ReceiptHandle"])
    count = w.sqs.get_queue_attributes(QueueUrl=w.queue, AttributeNames=["All"])["Attributes"]
    check(count["ApproximateNumberOfMessagesNotVisible"] == "1",
          "an old receipt handle succeeds and deletes nothing", count)
    w.sqs.change_message_visibility(QueueUrl=w.queue, ReceiptHandle=again[0]["ReceiptHandle"],
                                    VisibilityTimeout=0)
    got = w.receive()
    check(len(got) == 1, "visibility 0 gives the message back")
    w.sqs.delete_message(QueueUrl=w.queue, ReceiptHandle=got[0]["ReceiptHandle"])
    count = w.sqs.get_queue_attributes(QueueUrl=w.queue, AttributeNames=["All"])["Attributes"]
    check(count["ApproximateNumberOfMessages"] == count["ApproximateNumberOfMessagesNotVisible"]
          == "0", "a deleted message is gone", count)
    check(set(w.sqs.get_queue_attributes(QueueUrl=w.queue, AttributeNames=["QueueArn"])
              ["Attributes"]) == {"QueueArn"}, "only the attributes asked for are told")


def check_sqs_batches(w):
    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    sent = w.sqs.send_message_batch(QueueUrl=w.queue, Entries=entries)
    check(len(sent["Successful"]) == 10, "ten messages are sent in a batch", sent)
    got = w.receive()
    check(len(got) == 10, "ten messages are received at once", len(got))
    entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 60}
               for m in got]
    changed = w.sqs.change_message_visibility_batch(QueueUrl=w.queue, Entries=entries)
    check(len(changed["Successful"]) == 10, "their visibility changes in a batch", changed)
    entries = [{"Id": f"d{n}", "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(got)]
    entries[3]["ReceiptHandle"] = "nonsense"
    deleted = w.sqs.delete_message_batch(QueueUrl=w.queue, Entries=entries)
    check(len(deleted["Successful"]) == 9 and deleted["Failed"][0]["Id"] == "d3"
          and deleted["Failed"][0]["Code"] == "ReceiptHandleIsInvalid",
          "a batch fails only in part", deleted)
    twice = [entries[0], entries[0]]
    wrong = refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400,
                    w.sqs.delete_message_batch, QueueUrl=w.queue, Entries=twice)
    check(not wrong, "ids of a batch must differ", wrong)
    wrong = refused("AWS.SimpleQueueService.EmptyBatchRequest", 400, w.sqs.delete_message_batch,
                    QueueUrl=w.queue, Entries=[])
    check(not wrong, "an empty batch is refused", wrong)
    w.sqs.purge_queue(QueueUrl=w.queue)


def check_sqs_errors(w):
    wrong = refused("AWS.SimpleQueueService.NonExistentQueue", 400, w.sqs.receive_message,
                    QueueUrl=w.queue + "x")
    check(not wrong, "an unknown queue has the old error code", wrong)
    wrong = refused("AWS.SimpleQueueService.NonExistentQueue", 400, w.sqs.get_queue_url,
                    QueueName="other")
    check(not wrong, "an unknown queue has no url", wrong)
    wrong = refused("ReceiptHandleIsInvalid", 400, w.sqs.delete_message, QueueUrl=w.queue,
                    ReceiptHandle="x")
    check(not wrong, "what is no receipt handle is refused", wrong)
    wrong = refused("InvalidParameterValue", 400, w.sqs.receive_message, QueueUrl=w.queue,
                    MaxNumberOfMessages=11)
    check(not wrong, "eleven messages at once are refused", wrong)
    check(w.sqs.get_queue_url(QueueName="events")["QueueUrl"] == w.queue, "the queue has its url")
    try:
        w.sqs.delete_message(QueueUrl=w.queue + "x", ReceiptHandle="y")
        raised = False
    except w.sqs.exceptions.QueueDoesNotExist:
        raised = True
    check(raised, "the modelled exception is raised")
    other = w.sqs.create_queue(QueueName="other")["QueueUrl"]
    check(other in w.sqs.list_queues()["QueueUrls"], "a created queue is listed")


def check_sqs_long_poll(w):
    begin = time.monotonic()
    check(w.receive(WaitTimeSeconds=1) == [] and 0.9 < time.monotonic() - begin < 3,
          "a long poll waits as long as it was told", time.monotonic() - begin)
    timer = threading.Timer(0.5, w.admin, ("message", {"body": "late"}))
    timer.start()
    begin = time.monotonic()
    got = w.receive(WaitTimeSeconds=20)
    spent = time.monotonic() - begin
    timer.join()
    check(len(got) == 1 and 0.4 < spent < 2, "a long poll ends when a message comes", spent)
    w.sqs.send_message(QueueUrl=w.queue, MessageBody="delayed", DelaySeconds=1)
    begin = time.monotonic()
    got = w.receive(WaitTimeSeconds=20)
    check(len(got) == 1 and 0.8 < time.monotonic() - begin < 4,
          "a long poll ends when a delayed message becomes visible")
    w.sqs.purge_queue(QueueUrl=w.queue)
    w.admin("queue", {"duplicate_permille": 1000})
    w.admin("message", {"body": "twice"})
    check(len(w.receive()) == 1 and len(w.receive()) == 1, "an unkind queue delivers twice")
    w.admin("queue", {"duplicate_permille": 0})
    w.sqs.purge_queue(QueueUrl=w.queue)


def check_launch(w):
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "slurm-on-aws:node", "Value": "n1"},
                                                  {"Key": "a<b", "Value": "x&y"}]}]
    first = w.launch("token-1", TagSpecifications=tags)[0]
    check(first["State"]["Name"] == "pending" and first["SubnetId"] == SUBNET_A
          and first["InstanceType"] == "p4d.24xlarge" and first["ClientToken"] == "token-1",
          "an instance is launched by its template", first)
    check({t["Key"]: t["Value"] for t in first["Tags"]} == {"slurm-on-aws:node": "n1", "a<b": "x&y"},
          "its tags are there", first.get("Tags"))
    w.ec2.get_waiter("instance_running").wait(InstanceIds=[first["InstanceId"]],
                                              WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    again = w.launch("token-1", TagSpecifications=tags)[0]
    check(again["InstanceId"] == first["InstanceId"] and again["State"]["Name"] == "running",
          "the same token gives the same instance, as it is now", again["State"])
    wrong = refused("IdempotentParameterMismatch", 400, w.ec2.run_instances, MinCount=1, MaxCount=1,
                    LaunchTemplate=TEMPLATE, SubnetId=SUBNET_A, ClientToken="token-1")
    check(not wrong, "the same token with other parameters is refused", wrong)
    other = w.launch("token-1", TagSpecifications=tags, SubnetId=SUBNET_B)[0]
    check(other["InstanceId"] != first["InstanceId"], "a token belongs to one zone")
    w.admin("capacity", {"subnet": SUBNET_C, "left": 0})
    wrong = refused("InsufficientInstanceCapacity", 500, w.ec2.run_instances, MinCount=1,
                    MaxCount=1, LaunchTemplate=TEMPLATE, SubnetId=SUBNET_C)
    check(not wrong, "no capacity is a server error", wrong)
    w.admin("capacity", {"subnet": SUBNET_C, "left": 2})
    check(len(w.launch(SubnetId=SUBNET_C, MaxCount=5)) == 2, "capacity for fewer launches fewer")
    for code, template in (("InvalidLaunchTemplateId.NotFound", {"LaunchTemplateId": "lt-0"}),
                           ("InvalidLaunchTemplateId.VersionNotFound",
                            dict(TEMPLATE, Version="9"))):
        wrong = refused(code, 400, w.ec2.run_instances, MinCount=1, MaxCount=1,
                        LaunchTemplate=template, SubnetId=SUBNET_A)
        check(not wrong, f"a launch can be refused with {code}", wrong)
    wrong = refused("DryRunOperation", 412, w.ec2.run_instances, MinCount=1, MaxCount=1,
                    LaunchTemplate=TEMPLATE, SubnetId=SUBNET_A, DryRun=True)
    check(not wrong, "a dry run says that it would have worked", wrong)
    wrong = refused("DryRunOperation", 412, w.ec2.describe_instances, DryRun=True)
    check(not wrong, "also where it only looks", wrong)
    log = w.admin("requests?action=RunInstances")
    check([r["instances"][0] for r in log if r["token"] == "token-1" and not r["code"]]
          == [first["InstanceId"], first["InstanceId"], other["InstanceId"]],
          "the request log shows tokens and instances", log)


def check_describe(w):
    for name in ("one", "two", "two"):
        w.launch(TagSpecifications=[{"ResourceType": "instance",
                                     "Tags": [{"Key": "group", "Value": name}]}])
    everything = [i["InstanceId"] for r in w.ec2.describe_instances()["Reservations"]
                  for i in r["Instances"]]
    pages = w.ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    paged = [[i["InstanceId"] for r in page["Reservations"] for i in r["Instances"]]
             for page in pages]
    check(sum(paged, []) == everything and len(paged) > 1 and max(map(len, paged)) <= 5,
          "pages together are the whole", paged)
    two = w.ec2.describe_instances(Filters=[{"Name": "tag:group", "Values": ["tw*", "none"]}])
    check(len(two["Reservations"]) == 2, "a tag filters, with a wild card")
    none = w.ec2.describe_instances(Filters=[{"Name": "tag:group", "Values": ["one"]},
                                             {"Name": "instance-state-name",
                                              "Values": ["stopped"]}])
    check(none["Reservations"] == [], "all filters must match")
    wrong = refused("InvalidInstanceID.NotFound", 400, w.ec2.describe_instances,
                    InstanceIds=[everything[0], "i-00000000000000000"])
    check(not wrong, "one unknown id fails the whole call", wrong)
    wrong = refused("InvalidInstanceID.Malformed", 400, w.ec2.describe_instances,
                    InstanceIds=["gpu-1"])
    check(not wrong, "what is no id is malformed", wrong)
    wrong = refused("InvalidParameterCombination", 400, w.ec2.describe_instances,
                    InstanceIds=[everything[0]], MaxResults=5)
    check(not wrong, "ids and MaxResults exclude each other", wrong)
    wrong = refused("InvalidParameterValue", 400, w.ec2.describe_instances,
                    Filters=[{"Name": "no-such", "Values": ["x"]}])
    check(not wrong, "an unknown filter is refused", wrong)
    version = w.ec2.describe_launch_template_versions(
        LaunchTemplateId=TEMPLATE["LaunchTemplateId"], Versions=["$Latest"])
    check(version["LaunchTemplateVersions"][0]["VersionNumber"] == 1, "template versions are told")
    subnets = w.ec2.describe_subnets()["Subnets"]
    check([s["SubnetId"] for s in subnets] == [SUBNET_A, SUBNET_B, SUBNET_C]
          and subnets[0]["CidrBlock"] == "10.0.0.0/18", "subnets are told", subnets)


def check_life(w):
    one = w.running()
    changed = w.ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]
    check((changed["PreviousState"]["Name"], changed["CurrentState"]["Name"])
          == ("running", "stopping"), "stop tells both states", changed)
    check(until(lambda: w.state(one) == "stopped"), "a stopping instance becomes stopped")
    wrong = refused("IncorrectInstanceState", 400, w.ec2.reboot_instances, InstanceIds=[one])
    check(not wrong, "a stopped instance is not rebooted", wrong)
    w.ec2.start_instances(InstanceIds=[one])
    check(until(lambda: w.state(one) == "running"), "it starts again")
    address = w.instance(one)["PrivateIpAddress"]
    w.ec2.reboot_instances(InstanceIds=[one])
    check(w.state(one) == "running", "a reboot changes no state")
    w.ec2.create_tags(Resources=[one], Tags=[{"Key": "k", "Value": "v"}])
    check(w.instance(one)["Tags"] == [{"Key": "k", "Value": "v"}]
          and w.instance(one)["PrivateIpAddress"] == address, "a tag is set, the address stays")
    w.ec2.delete_tags(Resources=[one], Tags=[{"Key": "k"}])
    check("Tags" not in w.instance(one), "a tag is deleted")
    w.ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": True})
    wrong = refused("OperationNotPermitted", 400, w.ec2.terminate_instances, InstanceIds=[one])
    check(not wrong, "a protected instance is not terminated", wrong)
    w.ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": False})
    w.ec2.terminate_instances(InstanceIds=[one])
    check(until(lambda: w.state(one) == "terminated"), "it is terminated, and still shown")
    w.ec2.terminate_instances(InstanceIds=[one])
    check(w.state(one) == "terminated", "terminating twice is no error")
    wrong = refused("IncorrectInstanceState", 400, w.ec2.start_instances, InstanceIds=[one])
    check(not wrong, "a terminated instance is not started", wrong)
    bodies = [json.loads(m["body"]) for m in w.admin("messages")]
    check([b["detail"]["state"] for b in bodies if b["detail"]["instance-id"] == one]
          == ["pending", "running", "stopping", "stopped", "pending", "running", "shutting-down",
              "terminated"], "each state change was told to the queue", bodies)


def check_status(w):
    one = w.running()

    def status():
        return w.ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"][0]

    check(until(lambda: status()["InstanceStatus"]["Status"] == "ok"), "status checks become ok")
    w.admin("status-check", {"node": one})
    check(status()["InstanceStatus"]["Status"] == "impaired"
          and status()["InstanceStatus"]["Details"][0]["Status"] == "failed"
          and status()["SystemStatus"]["Status"] == "ok", "a failing check is shown", status())
    w.admin("retirement", {"node": one, "seconds": 2})
    found = w.ec2.describe_instance_status(
        Filters=[{"Name": "event.code", "Values": ["instance-retirement"]}])["InstanceStatuses"]
    check([s["InstanceId"] for s in found] == [one]
          and found[0]["Events"][0]["Code"] == "instance-retirement",
          "a scheduled event is found by its code", found)
    check(until(lambda: w.state(one) == "stopped"), "its window opens and the instance stops")
    shown = w.ec2.describe_instance_status(InstanceIds=[one], IncludeAllInstances=True)
    check(shown["InstanceStatuses"][0]["Events"][0]["Description"].startswith("[Completed] "),
          "it stays listed as completed", shown)
    check(w.ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"] == [],
          "only running instances are shown unless asked")
    text = w.ec2.get_console_output(InstanceId=w.running(), Latest=True)["Output"]
    check("Linux" in text, "the console is told", text)
    two = w.running()
    check(until(lambda: "-----BEGIN SSH HOST KEY KEYS-----\r\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"
                in w.ec2.get_console_output(InstanceId=two)["Output"]),
          "the console has the host key after the boot")
    w.admin("spot", {"node": two, "seconds": 1})
    check(until(lambda: w.state(two) == "terminated"), "a spot notice is followed by the end")


def check_faults(w):
    w.admin("fault", {"action": "RunInstances", "code": "RequestLimitExceeded", "status": 503})
    wrong = refused("RequestLimitExceeded", 503, w.launch)
    check(not wrong, "an asked-for error is answered", wrong)
    w.admin("fault", {"action": "RunInstances", "lost": True})
    try:
        w.launch("lost-1")
        check(False, "an answer can be lost")
    except (HTTPClientError, EndpointConnectionError):
        check(True, "an answer can be lost")
    log = w.admin("requests?action=RunInstances")
    again = w.launch("lost-1")[0]["InstanceId"]
    check(log[-1]["lost"] and log[-1]["instances"] == [again],
          "what was launched without an answer is found by its token", log[-1])
    w.admin("fault", {"action": "DescribeInstances", "late_ms": 500})
    begin = time.monotonic()
    w.ec2.describe_instances()
    check(time.monotonic() - begin > 0.45, "an answer can be late")
    w.admin("fault", {"action": "ReceiveMessage", "code": "RequestThrottled", "status": 403})
    wrong = refused("RequestThrottled", 403, w.receive)
    check(not wrong, "SQS answers asked-for errors too", wrong)
    with World(w.process.args[0], "--throttle") as slow:
        wrong = [refused("RequestLimitExceeded", 503, slow.launch) for _ in range(8)]
        check("" in wrong and not all(w == "" for w in wrong), "the buckets run empty", wrong)
    with World(w.process.args[0], "--visible-ms", "600") as eventual:
        one = eventual.launch()[0]["InstanceId"]
        wrong = refused("InvalidInstanceID.NotFound", 400, eventual.ec2.describe_instances,
                        InstanceIds=[one])
        check(not wrong, "an instance just launched is not found", wrong)
        check(until(lambda: not refused("InvalidInstanceID.NotFound", 400, eventual.state,
                                        instance_id=one).startswith("Inv")), "and then it is")


class Skewed(datetime.datetime):
    """A clock that is twenty minutes late."""

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) - datetime.timedelta(minutes=20)

    @classmethod
    def utcnow(cls):
        return super().utcnow() - datetime.timedelta(minutes=20)


def skewed(call, **arguments):
    """The same call with a wrong clock; what it was refused with."""
    kept = botocore.auth.get_current_datetime if hasattr(
        botocore.auth, "get_current_datetime") else None
    module = botocore.auth.datetime
    if kept:
        botocore.auth.get_current_datetime = lambda **_: kept() - datetime.timedelta(minutes=20)
    else:
        botocore.auth.datetime = type("module", (), {"datetime": Skewed})
    try:
        return refused("RequestExpired", 400, call, **arguments)
    finally:
        botocore.auth.datetime = module
        if kept:
            botocore.auth.get_current_datetime = kept


def check_signatures(w):
    check(w.sts.get_caller_identity()["Account"] == "123456789012", "STS knows the caller")
    for service, code, status, name in (("ec2", "AuthFailure", 401, "describe_instances"),
                                        ("sqs", "SignatureDoesNotMatch", 403, "list_queues"),
                                        ("sts", "SignatureDoesNotMatch", 403,
                                         "get_caller_identity")):
        client = w.client(service, secret="wrong" + SECRET)
        wrong = refused(code, status, getattr(client, name))
        check(not wrong, f"{service} refuses a wrong secret", wrong)
        wrong = skewed(getattr(w.client(service), name))
        check(not wrong, f"{service} refuses a clock that is off by 20 minutes", wrong)
    wrong = refused("AuthFailure", 401, w.client("ec2", key="AKIAOTHER").describe_instances)
    check(not wrong, "an unknown key is refused", wrong)
    wrong = refused("AuthFailure", 401, w.client("ec2", token="x").describe_instances)
    check(not wrong, "a token that is not the key's is refused", wrong)
    wrong = refused("AuthFailure", 401, w.client("ec2", region="eu-west-1").describe_instances)
    check(not wrong, "another region is refused", wrong)
    status, text = w.http("POST", "/", Content_Type="application/x-www-form-urlencoded")
    check(status == 400 and "MissingParameter" in text, "a request without signature is refused",
          text)


def check_metadata(w):
    with World(w.process.args[0], "--imds-life-ms", "2500") as short:
        status, _ = short.http("GET", "/latest/meta-data/instance-id")
        check(status == 401, "metadata without a token is refused", status)
        status, _ = short.http("PUT", "/latest/api/token",
                               X_aws_ec2_metadata_token_ttl_seconds="0")
        check(status == 400, "a token without life is refused", status)
        _, token = short.http("PUT", "/latest/api/token",
                              X_aws_ec2_metadata_token_ttl_seconds="60")

        def get(path):
            return short.http("GET", "/latest/" + path, X_aws_ec2_metadata_token=token)

        role = get("meta-data/iam/security-credentials/")[1]
        given = json.loads(get("meta-data/iam/security-credentials/" + role)[1])
        client = short.client("ec2", given["AccessKeyId"], given["SecretAccessKey"],
                              given["Token"])
        check(client.describe_instances()["Reservations"] == [],
              "the role's credentials work with their session token")
        bare = short.client("ec2", given["AccessKeyId"], given["SecretAccessKey"])
        wrong = refused("AuthFailure", 401, bare.describe_instances)
        check(not wrong, "and not without it", wrong)
        check(get("meta-data/no-such")[0] == 404, "absent metadata is 404")
        document = json.loads(get("dynamic/instance-identity/document")[1])
        check(document["region"] == "us-east-1", "the identity document names the region")
        time.sleep(2.6)
        wrong = refused("RequestExpired", 400, client.describe_instances)
        check(not wrong, "expired credentials are refused", wrong)
        newer = json.loads(get("meta-data/iam/security-credentials/" + role)[1])
        check(newer["AccessKeyId"] != given["AccessKeyId"], "new ones are to be had")


def check_shapes(w):
    """What boto3 hides: headers, and the console's base64."""
    seen = []
    w.ec2.meta.events.register("response-received.ec2", lambda response_dict, **_:
                               seen.append(response_dict))
    w.ec2.describe_instances()
    headers = {name.lower(): value for name, value in seen[-1]["headers"].items()}
    check("x-amzn-requestid" in headers and "date" in headers
          and headers["content-type"].startswith("text/xml"), "EC2's headers are there", headers)
    check(headers.get("connection", "keep-alive").lower() == "keep-alive",
          "the connection is kept", headers)
    body = seen[-1]["body"].decode()
    check('xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"' in body, "EC2's namespace is there")
    one = w.running()
    w.ec2.get_console_output(InstanceId=one)
    encoded = seen[-1]["body"].decode().split("<output>")[1].split("</output>")[0]
    check(b"Linux" in base64.b64decode(encoded), "the console's output is base64", encoded[:80])


def check_setup(program):
    """Refused set-ups, and the end with the parent."""
    for text, word in (('{"regoin": "x"}', "regoin"), ('{"delays": {"boot": 1}}', "delays.boot"),
                       ('{"seed": "x"}', "seed"), ("[]", "not a JSON object")):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write(text)
            f.flush()
            done = subprocess.run([program, "--config", f.name], capture_output=True, text=True,
                                  timeout=10, check=False)
            check(done.returncode == 2 and word in done.stderr, f"{text} is refused by name",
                  done.stderr)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write('{"subnets": [{"id": "s", "az": "a", "cidr": "10.0.0.0/99"}]}')
        f.flush()
        done = subprocess.run([program, "--config", f.name], capture_output=True, text=True,
                              timeout=10, check=False)
        check(done.returncode == 1 and '"subnets"' in done.stderr, "an impossible account is refused",
              done.stderr)
    done = subprocess.run(["bash", "-c", f"'{program}' --with-parent & read -r -t 5 < <(sleep 1)"],
                          capture_output=True, text=True, timeout=10, check=False)
    pid = json.loads(done.stdout)["pid"]
    check(until(lambda: not os.path.exists(f"/proc/{pid}")), "rc-world ends with its parent", pid)


GROUPS = (
    (FAST, (check_sqs_messages, check_sqs_batches, check_sqs_errors, check_sqs_long_poll)),
    (FAST, (check_launch, check_describe)),
    (FAST, (check_life,)),
    (FAST, (check_status, check_faults, check_shapes)),
    (FAST, (check_signatures, check_metadata)),
)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: endpoint_check.py PATH-OF-RC-WORLD")
    check_setup(sys.argv[1])
    for flags, checks in GROUPS:
        with World(sys.argv[1], *flags) as world:
            for function in checks:
                try:
                    function(world)
                except Exception as error:  # one group's trouble must not hide the others
                    check(False, f"{function.__name__} runs to its end", repr(error))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
