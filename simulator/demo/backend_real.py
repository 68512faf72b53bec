"""The demo's world of real parts: tests/real, and the faults that AWS would cause in it."""
import shutil
import threading
import time
from datetime import datetime, timezone
from email.utils import format_datetime

from simulator.demo.node_faults import NodeFaults
from simulator.demo.options import NODE_FAULTS
from simulator.demo.snapshot import Instance, Job, Node
from tests.real.emulator_names import ACCOUNT, REGION, instance_arn
from tests.real.slurm import CONTROLLER
from tests.real.world import RealWorld, programs

WINDOW_S = 20
SPOT_S = 120
TYPE = "p4d.24xlarge"


class RealBackend:
    name = "real slurmctld, slurmd, munge, sshd; moto's EC2, EventBridge, SQS"
    has_ssh = True
    look_s = 0.2
    victim = "gpu-2"

    def __init__(self, fault):
        self.world = RealWorld(instance_type=TYPE, agents=fault in NODE_FAULTS)
        self.node_faults = NodeFaults(self.world)
        self.seeded = set()
        self.timers = []

    # --- life -------------------------------------------------------------------

    def open(self):
        self.world.open(node_count=3)
        self.seeded = {row["id"] for row in self.world.seeded.values()}

    def close(self):
        for timer in self.timers:
            timer.cancel()
        self.node_faults.close()
        self.world.close()

    def folder(self):
        return self.world.folder / "daemon"

    def keep(self, folder):
        """What the world itself leaves: Slurm's configuration and logs."""
        for name in ("etc", "log"):
            shutil.copytree(self.world.folder / name, folder / name, dirs_exist_ok=True)
        for machine in self.world.maker.machines.values():
            for log in machine.folder.glob("*.log"):
                shutil.copy(log, folder / "log" / f"{machine.node}-{machine.instance_id}-{log.name}")

    def spawn(self, command, **options):
        """On the controller's host: its network namespace, its host name."""
        return self.world.lifeline.spawn(
            ["unshare", "--uts", "sh", "-c", f'hostname {CONTROLLER} && exec "$@"', "sh", *command],
            **options)

    def env(self):
        return {**self.world.env(), **self.world.aws_env()}

    def config(self):
        """The daemon's configuration, but for the paths of its own files."""
        helper = str(programs() / "rc-slurm-helper")
        return {
            "cluster": {"name": self.world.cluster,
                        "groups": [group(self.world.aws["template"], self.world.aws["subnets"])]},
            "aws": {"region": REGION},
            "queue": {"url": self.world.aws["queue"], "wait": "2s", "visibility": "10s"},
            "slurm": {"conf": str(self.world.slurm_conf),
                      "reader": {"program": helper, "args": ["--role", "reader"]},
                      "writer": {"program": helper, "args": ["--role", "writer"]},
                      "registrar": {"program": str(programs() / "rc-registrar")}},
            "ssh": {"user": "root", "key": str(self.world.folder / "login_key")},
            "forensics": {"s3": self.world.aws["evidence"]}}

    # --- looking ----------------------------------------------------------------

    def look(self, job_id):
        self.world.maker.check()
        nodes = {name: Node(name, row["state"], row["addr"], row["reason"], row["responding"])
                 for name, row in self.world.slurm.nodes().items()}
        instances = {row["id"]: Instance(row["id"], row["state"], row["addr"],
                                         row["tags"].get("slurm-on-aws:node", ""), row["subnet"],
                                         row["id"] not in self.seeded)
                     for row in self.world.emulator("instances")["instances"]}
        job = Job(**self.world.slurm.job(job_id)) if job_id else None
        return nodes, instances, job

    def evidence(self):
        """What stands in S3: name to bytes."""
        return self.world.emulator("objects", below=self.world.aws["evidence"])["objects"]

    def messages(self):
        return self.world.emulator("messages")["messages"]

    def queue_empty(self):
        return self.world.emulator("queue", queue=self.world.aws["queue"])["left"] == 0

    # --- doing ------------------------------------------------------------------

    def submit(self, seconds, node, count=1):
        return self.world.slurm.submit(seconds, node, count)

    def message(self, body):
        self.world.emulator("message", queue=self.world.aws["queue"], body=body)

    def malformed(self):
        self.message('{"version":"0","detail-type":"EC2 Instance State-change Notification",')

    def inject(self, fault, node):
        """Makes the fault happen; the words for the time-line."""
        if fault in NODE_FAULTS:
            return getattr(self.node_faults, "do_" + fault.replace("-", "_"))(node)
        instance = self.world.seeded[node]["id"]
        return getattr(self, "do_" + fault.replace("-", "_"))(instance)

    def do_terminate(self, instance):
        self.world.emulator("end", id=instance)
        return f"EC2 loses the host: {instance} is terminated"

    def do_capacity(self, instance):
        self.world.emulator("full", subnets=self.world.aws["subnets"][:2])
        self.do_terminate(instance)
        return f"{instance} is terminated, and two of three subnets have no capacity"

    def do_spot(self, instance):
        self.event("aws.ec2", "EC2 Spot Instance Interruption Warning",
                   {"instance-id": instance, "instance-action": "terminate"}, instance)
        self.later(SPOT_S, "end", instance)
        return f"spot interruption warning: {instance} ends in {SPOT_S // 60} minutes"

    def do_rebalance(self, instance):
        self.event("aws.ec2", "EC2 Instance Rebalance Recommendation", {"instance-id": instance},
                   instance)
        return f"rebalance recommendation for {instance}: noise"

    def do_retirement(self, instance):
        opens = time.time() + WINDOW_S
        self.world.emulator("check", id=instance, events=[
            {"code": "instance-retirement", "not_before": opens,
             "text": "The instance is running on degraded hardware"}])
        start = format_datetime(datetime.fromtimestamp(opens, timezone.utc), usegmt=True)
        now = format_datetime(datetime.now(timezone.utc), usegmt=True)
        code = "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"
        self.event("aws.health", "AWS Health Event", {
            "eventArn": f"arn:aws:health:{REGION}::event/EC2/{code}/{code}_{instance[2:]}",
            "service": "EC2", "eventTypeCode": code, "eventTypeCategory": "scheduledChange",
            "eventScopeCode": "ACCOUNT_SPECIFIC", "communicationId": f"{instance[2:]}-1",
            "startTime": start, "lastUpdatedTime": now, "statusCode": "upcoming",
            "eventRegion": REGION, "affectedAccount": ACCOUNT, "page": "1", "totalPages": "1",
            "eventDescription": [{"language": "en_US", "latestDescription":
                                  "EC2 has detected degradation of the underlying hardware."}],
            "affectedEntities": [{"entityValue": instance, "lastUpdatedTime": now,
                                  "status": "IMPAIRED"}]}, instance)
        self.later(WINDOW_S, "stop", instance)
        return f"AWS will retire {instance}: its window opens in {WINDOW_S} s"

    def do_status_check(self, instance):
        self.world.emulator("check", id=instance, system="impaired")
        self.event("aws.cloudwatch", "CloudWatch Alarm State Change",
                   alarm_detail(f"status-check-{self.victim}", instance), instance)
        return f"the system status check of {instance} fails: alarm, and DescribeInstanceStatus"

    def event(self, source, detail_type, detail, instance):
        self.world.emulator("event", source=source, detail=detail, resources=[
            instance_arn(instance)], **{"detail-type": detail_type})

    def later(self, seconds, verb, instance):
        """What AWS does when its own deadline comes, if the instance is still there."""
        def act():
            found = {i["id"]: i["state"] for i in self.world.emulator("instances")["instances"]}
            if found[instance] == "running":
                self.world.emulator(verb, id=instance)
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()
        self.timers.append(timer)


def alarm_detail(name, instance):
    moment = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    metric = {"dimensions": {"InstanceId": instance}, "name": "StatusCheckFailed_System",
              "namespace": "AWS/EC2"}
    return {"alarmName": name,
            "configuration": {"metrics": [{
                "id": "m1", "returnData": True,
                "metricStat": {"metric": metric, "period": 60, "stat": "Maximum"}}]},
            "previousState": {"reason": "1 datapoint was 0.0", "timestamp": moment, "value": "OK"},
            "state": {"reason": "2 datapoints were 1.0", "timestamp": moment, "value": "ALARM"}}


def group(template, subnets):
    """The node group of the demo's cluster: three subnets, tried in order."""
    return {"name": "gpu", "nodes": "gpu-[1-3]", "template": template, "template_version": 1,
            "capacity": "open",
            "launch": [{"subnet": subnet, "zone": f"{REGION}{zone}"}
                       for subnet, zone in zip(subnets, "abc")]}
