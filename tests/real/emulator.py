"""moto's server with the parts of EC2 that it lacks, and a control port.

Run by the Python that has moto: emulator.py AWS-PORT CONTROL-PORT. What is added:

- RunInstances keeps its ClientToken's promise: the same request again returns the
  same reservation, another request with the token is IdempotentParameterMismatch.
- A template whose network interfaces name a subnet launches there, and the call must not name one.
- Subnets can be without capacity (InsufficientInstanceCapacity, HTTP 500 as EC2's
  list of server errors has it).
- Instances take time: pending, stopping and shutting-down last until the
  machine-maker says that the machine is up or down.
- Each change of state is published on EventBridge, whose rule sends it to SQS.
- Status checks can fail, events can be scheduled, the console shows what the
  machine printed, and a freed address is not given out again.

The control port takes POST /<verb> with a JSON object and answers one; it is for the
world around the emulator, never for the daemon under test.
"""
import base64
import json
import logging
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time

import boto3
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses.general import General
from moto.ec2.responses.instances import InstanceResponse
from moto.events.models import events_backends
from moto.core.responses import ActionResult
from moto.server import main as moto_main
from moto.sqs.models import Queue
from werkzeug.exceptions import HTTPException

from emulator_names import ACCOUNT, REGION, instance_arn

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64,
         "stopped": 80}
NETWORK = "10.77.0.0/16"
EVIDENCE_BUCKET = "evidence"


class Ec2Failure(HTTPException):
    """An error answer of EC2 with a status of its own; moto knows only 400."""

    def __init__(self, status, code, message):
        super().__init__()
        self.code = status
        self.description = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
            f"<Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            "<RequestID>00000000-0000-4000-8000-000000000000</RequestID></Response>")

    def get_headers(self, *_args, **_kwargs):
        return [("Content-Type", "text/xml;charset=UTF-8")]


class World:
    """What the control port sets and the hooks read."""

    def __init__(self):
        self.lock = threading.RLock()
        self.instances = {}  # id -> moto's Instance, in order of launch
        self.tokens = {}  # ClientToken -> (request, result)
        self.full = set()  # subnets without capacity
        self.refused = set()  # instances that may not be stopped
        self.checks = {}  # instance id -> {"system": "impaired", "instance": …, "events": […]}
        self.console = {}  # instance id -> text
        self.arrivals = []  # every message that entered the queue
        self.boots = {}  # instance id -> times that it was told to boot


WORLD = World()


def set_state(instance, name):
    """Moves an instance on and tells EventBridge, as EC2 does, a moment later."""
    if instance.state == name:
        return
    instance._state = InstanceState(name, CODES[name])
    detail = {"instance-id": instance.id, "state": name}
    threading.Timer(0.1, publish, ("aws.ec2", "EC2 Instance State-change Notification", detail,
                                   [instance_arn(instance.id)])).start()


def publish(source, detail_type, detail, resources):
    events_backends[ACCOUNT][REGION].put_events([{
        "Source": source, "DetailType": detail_type, "Detail": json.dumps(detail),
        "Resources": resources}])


# --- hooks into moto ------------------------------------------------------------

moto_run_instances = InstanceResponse.run_instances
moto_init, moto_start = Instance.__init__, Instance.start
moto_stop, moto_terminate, moto_reboot = Instance.stop, Instance.terminate, Instance.reboot
moto_add_message = Queue.add_message


def take_template_subnet(self):
    """The subnet that the template's network interfaces name: EC2 takes none in the call then."""
    template = self._get_param("LaunchTemplate")
    if not template:
        return None
    data = self.ec2_backend._get_template_from_args(template).data
    subnets = [n["SubnetId"] for n in data.get("NetworkInterfaces", []) if n.get("SubnetId")]
    if not subnets:
        return None
    if self._get_param("SubnetId"):
        raise Ec2Failure(400, "InvalidParameterCombination", "Network interfaces and an "
                         "instance-level subnet ID may not be specified on the same request")
    self.params["SubnetId"] = subnets[0]
    return subnets[0]


def run_instances(self):
    token = self._get_param("ClientToken")
    request = json.dumps({k: v for k, v in sorted(self.params.items()) if k != "ClientToken"},
                         default=str, sort_keys=True)
    with WORLD.lock:
        if token in WORLD.tokens:
            before, result = WORLD.tokens[token]
            if before != request:
                raise Ec2Failure(400, "IdempotentParameterMismatch",
                                 f"Arguments differ from those first used with {token}.")
            return result
        subnet = take_template_subnet(self) or self._get_param("SubnetId")
        if subnet in WORLD.full:
            raise Ec2Failure(500, "InsufficientInstanceCapacity",
                             "We currently do not have sufficient capacity in the Availability "
                             f"Zone of {subnet}.")
        result = moto_run_instances(self)
        if token:
            WORLD.tokens[token] = (request, result)
        return result


def instance_init(self, *args, **kwargs):
    moto_init(self, *args, **kwargs)
    with WORLD.lock:
        WORLD.instances[self.id] = self
        WORLD.boots[self.id] = 1
    self._state = InstanceState("running", CODES["running"])
    set_state(self, "pending")


def change(method, name, allowed):
    """moto's own change of state, after the check of the state and without its haste."""
    def hooked(self):
        if self.state not in allowed:
            raise Ec2Failure(400, "IncorrectInstanceState",
                             f"The instance '{self.id}' is {self.state}.")
        if name == "stopping" and self.id in WORLD.refused:
            raise Ec2Failure(400, "OperationNotPermitted",
                             f"The instance '{self.id}' may not be stopped.")
        if self.state == name or self.state == "terminated":
            return InstanceState(self.state, self.state_code)
        before = InstanceState(self.state, self.state_code)
        method(self)
        self._state = before
        set_state(self, name)
        return InstanceState(before.name, before.code)
    return hooked


def start(self):
    WORLD.boots[self.id] += 1
    WORLD.checks.pop(self.id, None)  # another host
    return change(moto_start, "pending", {"stopped", "pending", "running"})(self)


def reboot(self):
    if self.state != "running":
        raise Ec2Failure(400, "IncorrectInstanceState", f"'{self.id}' is {self.state}.")
    WORLD.boots[self.id] += 1


def status_of(kind, own):
    def get(self):
        asked = WORLD.checks.get(self.id, {}).get(kind)
        if not asked or self.state != "running":
            return own.fget(self)
        detail = {"Name": "reachability", "Status": "failed",
                  "ImpairedSince": datetime.fromtimestamp(WORLD.checks[self.id]["since"],
                                                          timezone.utc)}
        return {"Status": asked, "Details": [detail]}
    return property(get)


def scheduled_events(self):
    return [{"InstanceEventId": f"instance-event-{self.id[2:]}", "Code": e["code"],
             "Description": e["text"],
             "NotBefore": datetime.fromtimestamp(e["not_before"], timezone.utc)}
            for e in WORLD.checks.get(self.id, {}).get("events", [])]


def get_console_output(self):
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    text = WORLD.console.get(instance.id, "")
    return ActionResult({"InstanceId": instance.id, "Timestamp": datetime.now(timezone.utc),
                         "Output": base64.b64encode(text.encode()).decode()})


def add_message(self, message):
    with WORLD.lock:
        WORLD.arrivals.append({"arrival": int(time() * 1000), "body": message.body})
    moto_add_message(self, message)


def install_hooks():
    living = {"pending", "running", "stopping", "stopped", "shutting-down", "terminated"}
    InstanceResponse.run_instances = run_instances
    Instance.__init__ = instance_init
    Instance.start = start
    Instance.stop = change(moto_stop, "stopping", living - {"shutting-down", "terminated"})
    Instance.terminate = change(moto_terminate, "shutting-down", living)
    Instance.reboot = reboot
    Instance.instance_status = status_of("instance", Instance.instance_status)
    Instance.system_status = status_of("system", Instance.system_status)
    Instance.events = property(scheduled_events)
    General.get_console_output = get_console_output
    Queue.add_message = add_message
    Subnet.del_subnet_ip = lambda self, ip: None


# --- control port ---------------------------------------------------------------

def client(service):
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{AWS_PORT}", region_name=REGION,
                        aws_access_key_id="control", aws_secret_access_key="control")


def do_seed(asked):
    """Network with a subnet a zone, launch template, queue, and the rule that fills it."""
    ec2, sqs, events = client("ec2"), client("sqs"), client("events")
    vpc = ec2.create_vpc(CidrBlock=NETWORK)["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{i}.0/24",
                                 AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
               for i, zone in enumerate("abc", 1)]
    # Not by DescribeImages, for which moto copies its thousands of images: seconds.
    image = next(iter(ec2_backends[ACCOUNT][REGION].amis))
    template = ec2.create_launch_template(
        LaunchTemplateName=asked["cluster"],
        LaunchTemplateData={"ImageId": image, "InstanceType": asked["type"]},
    )["LaunchTemplate"]["LaunchTemplateId"]
    queue = sqs.create_queue(QueueName=f"{asked['cluster']}-events",
                             Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name=asked["cluster"], EventPattern=json.dumps(
        {"source": ["aws.ec2", "aws.health", "aws.cloudwatch"]}))
    events.put_targets(Rule=asked["cluster"], Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    client("s3").create_bucket(Bucket=EVIDENCE_BUCKET)
    return {"subnets": subnets, "template": template, "queue": queue,
            "evidence": f"s3://{EVIDENCE_BUCKET}/{asked['cluster']}"}


def do_objects(asked):
    """Keys below an s3://bucket/prefix."""
    bucket, prefix = asked["below"].removeprefix("s3://").split("/", 1)
    rows = client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix + "/").get("Contents", [])
    return {"objects": {row["Key"].removeprefix(prefix + "/"): row["Size"] for row in rows}}


def do_launch(asked):
    tags = [{"Key": k, "Value": v} for k, v in asked["tags"].items()]
    made = client("ec2").run_instances(
        MinCount=1, MaxCount=1, SubnetId=asked["subnet"],
        LaunchTemplate={"LaunchTemplateId": asked["template"], "Version": "1"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])["Instances"][0]
    return {"id": made["InstanceId"], "addr": made["PrivateIpAddress"]}


def do_instances(_asked):
    with WORLD.lock:
        return {"instances": [
            {"id": i.id, "state": i.state, "addr": i.private_ip, "subnet": i.subnet_id,
             "boots": WORLD.boots[i.id], "tags": {t["key"]: t["value"] for t in i.get_tags()}}
            for i in WORLD.instances.values()]}


def do_machine(asked):
    """The machine-maker tells what became of a machine."""
    with WORLD.lock:
        if "console" in asked:
            WORLD.console[asked["id"]] = asked["console"]
        if "state" in asked:
            set_state(WORLD.instances[asked["id"]], asked["state"])
    return {}


def do_end(asked):
    """AWS itself ends an instance: host lost, or capacity taken back."""
    with WORLD.lock:
        WORLD.instances[asked["id"]].terminate()
    return {}


def do_stop(asked):
    client("ec2").stop_instances(InstanceIds=[asked["id"]])
    return {}


def do_start(asked):
    client("ec2").start_instances(InstanceIds=[asked["id"]])
    return {}


def do_full(asked):
    WORLD.full = set(asked["subnets"])
    return {}


def do_check(asked):
    WORLD.checks[asked["id"]] = {"since": time(), **asked}
    return {}


def do_refuse(asked):
    (WORLD.refused.add if asked["refuse"] else WORLD.refused.discard)(asked["id"])
    return {}


def do_event(asked):
    publish(asked["source"], asked["detail-type"], asked["detail"], asked["resources"])
    return {}


def do_message(asked):
    client("sqs").send_message(QueueUrl=asked["queue"], MessageBody=asked["body"])
    return {}


def do_messages(_asked):
    with WORLD.lock:
        return {"messages": list(WORLD.arrivals)}


def do_queue(asked):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs").get_queue_attributes(QueueUrl=asked["queue"], AttributeNames=names)
    return {"left": sum(int(found["Attributes"][name]) for name in names)}


VERBS = {name[3:]: function for name, function in list(globals().items())
         if name.startswith("do_")}


class Control(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        try:
            status, answer = 200, VERBS[self.path.lstrip("/")](asked)
        except Exception as error:  # told to the caller, which stops the world
            logging.exception("control %s", self.path)
            status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


if __name__ == "__main__":
    AWS_PORT, CONTROL_PORT = int(sys.argv[1]), int(sys.argv[2])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    install_hooks()
    threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", CONTROL_PORT), Control).serve_forever,
                     daemon=True).start()
    # Every address of the world's own namespace: controllers on hosts of their own call too.
    moto_main(["-H", "0.0.0.0", "-p", str(AWS_PORT)])
