"""The demo's simulated world: rc-world (AWS and slurmctld in one process) and the
simulated Slurm helper. Needs no account, no cluster, no root."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from simulator.demo.snapshot import Instance, Job, Node

CLUSTER, REGION, TEMPLATE = "demo", "us-east-1", "lt-0123456789abcdef0"
KEY, SECRET = "AKIADEMO000000000000", "demo-secret"
WINDOW_S = 20
READY_S = 10
ZONES = "abc"
SUBNETS = [f"subnet-0{zone * 16}" for zone in ZONES]
# gpu-1 in the first subnet, gpu-2 in the second, gpu-3 in the third.
ADDRS = {f"gpu-{i}": f"10.77.{i}.11" for i in (1, 2, 3)}

SLURM_CONF = """ClusterName={cluster}
SlurmctldHost=ctl(10.77.0.1)
ReturnToService=1
NodeName=gpu-[1-3] NodeAddr={addrs} CPUs=96 RealMemory=1000000 State=UNKNOWN
PartitionName=gpu Nodes=gpu-[1-3] Default=YES MaxTime=INFINITE State=UP
"""


def world_file(conf):
    """rc-world's set-up (simulator/world/world_config.h): quick machines, quick queue."""
    return {
        "region": REGION, "cluster": CLUSTER, "seed": 1,
        "credentials": [{"key": KEY, "secret": SECRET}],
        "queue": {"name": "events", "visibility_ms": 10000},
        "subnets": [{"id": subnet, "az": f"{REGION}{zone}", "cidr": f"10.77.{i}.0/24"}
                    for i, (subnet, zone) in enumerate(zip(SUBNETS, ZONES), 1)],
        "templates": [{"id": TEMPLATE, "name": "gpu", "version": 1, "type": "p4d.24xlarge",
                       "image": "ami-0123456789abcdef0", "default": True}],
        "instances": [{"node": node, "addr": addr, "subnet": subnet, "template": TEMPLATE}
                      for (node, addr), subnet in zip(ADDRS.items(), SUBNETS)],
        "slurm_conf": str(conf),
        "slurm": {"register_ms": 500, "requeue_ms": 2000},
        "delays": {"launch_ms": 1500, "boot_ms": 2000, "terminate_ms": 500}}


class SimBackend:
    name = "embedded AWS endpoint and simulated Slurm helper (rc-world)"
    has_ssh = False
    look_s = 0.05
    victim = "gpu-2"

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="rc-demo-"))
        self.world = None
        self.ready = {}
        self.seeded = set()

    # --- life -------------------------------------------------------------------

    def program(self, name):
        return str(Path(os.environ.get("RC_BIN", "build/bin")).absolute() / name)

    def open(self):
        conf = self.home / "slurm.conf"
        conf.write_text(SLURM_CONF.format(cluster=CLUSTER, addrs=",".join(ADDRS.values())),
                        encoding="ascii")
        setup = self.home / "world.json"
        setup.write_text(json.dumps(world_file(conf), indent=2) + "\n", encoding="utf-8")
        with open(self.home / "world.err", "ab") as err:
            self.world = subprocess.Popen(
                [self.program("rc-world"), "--config", setup, "--with-parent"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, text=True)
        line = self.world.stdout.readline()
        if not line:
            raise RuntimeError("rc-world: " + (self.home / "world.err").read_text()[-500:])
        self.ready = json.loads(line)
        self.seeded = {row["id"] for row in self.ask("state")["instances"]}

    def close(self):
        if self.world:
            self.world.terminate()
            self.world.wait(READY_S)
        shutil.rmtree(self.home, ignore_errors=True)

    def folder(self):
        return self.home / "daemon"

    def keep(self, folder):
        """What the world itself leaves: its set-up and Slurm's configuration."""
        for name in ("slurm.conf", "world.json", "world.err"):
            shutil.copy(self.home / name, folder / name)

    def spawn(self, command, **options):
        return subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, **options)

    def env(self):
        return {"AWS_ENDPOINT_URL": self.ready["endpoint"], "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

    def config(self):
        """The daemon's configuration, but for the paths of its own files."""
        helper, socket = self.program("rc-slurm-sim"), self.ready["slurm_socket"]
        return {
            "cluster": {"name": CLUSTER, "groups": [{
                "name": "gpu", "nodes": "gpu-[1-3]", "template": TEMPLATE, "template_version": 1,
                "launch": [{"subnet": subnet, "zone": f"{REGION}{zone}"}
                           for subnet, zone in zip(SUBNETS, ZONES)]}]},
            "aws": {"region": REGION},
            "queue": {"url": self.ready["queue_url"], "wait": "2s", "visibility": "10s"},
            "slurm": {"conf": str(self.home / "slurm.conf"),
                      "reader": {"program": helper,
                                 "args": ["--role", "reader", "--world", socket]},
                      "writer": {"program": helper,
                                 "args": ["--role", "writer", "--world", socket]},
                      "registrar": {"program": self.program("rc-registrar")}}}

    # --- looking ----------------------------------------------------------------

    def ask(self, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.ready['endpoint']}/_world/{what}", data,
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"rc-world {what}: {error.read().decode()}") from error

    def look(self, job_id):
        state = self.ask("state")
        nodes = {row["name"]: node_of(row) for row in state["nodes"]}
        instances = {row["id"]: Instance(row["id"], row["state"], row["addr"],
                                         row["tags"].get("slurm-on-aws:node", ""), row["subnet"],
                                         row["id"] not in self.seeded)
                     for row in state["instances"]}
        jobs = [Job(row["id"], row["state"],
                    None if row["state"] == "PENDING" else row["last_node"] or None)
                for row in state["jobs"] if row["id"] == job_id]
        return nodes, instances, jobs[0] if jobs else None

    def messages(self):
        return self.ask("messages")

    def queue_empty(self):
        return not any(row["visible"] or row["in_flight"] or row["delayed"]
                       for row in self.ask("queues"))

    # --- doing ------------------------------------------------------------------

    def submit(self, seconds, node):
        return self.ask("job", {"nodes": 1, "run_ms": seconds * 1000, "node": node,
                                "requeue": True})["id"]

    def message(self, body):
        self.ask("message", {"body": body})

    def malformed(self):
        self.ask("malformed", {})

    def inject(self, fault, node):
        """Makes the fault happen; the words for the time-line."""
        if fault == "capacity":
            for subnet in SUBNETS[:2]:
                self.ask("capacity", {"subnet": subnet, "left": 0})
            self.ask("terminate", {"node": node})
            return f"{node}'s instance is terminated, and two of three subnets have no capacity"
        if fault == "retirement":
            self.ask("retirement", {"node": node, "seconds": WINDOW_S})
            return f"AWS will retire {node}'s instance: its window opens in {WINDOW_S} s"
        if fault == "status-check":
            self.ask("status-check", {"node": node, "check": "system", "alarm": f"{node}-system"})
            return f"the system status check of {node} fails: alarm, and DescribeInstanceStatus"
        self.ask(fault, {"node": node})
        return {"terminate": f"EC2 loses the host: {node}'s instance is terminated",
                "spot": f"spot interruption warning: {node}'s instance ends in two minutes",
                "rebalance": f"rebalance recommendation for {node}: noise"}[fault]


def node_of(row):
    flags = {flag.upper() for flag in row["flags"].split(",") if flag}
    responding = "NOT_RESPONDING" not in flags
    return Node(row["name"], flags - {"NOT_RESPONDING", "CLOUD"} or {"IDLE"}, row["addr"],
                row.get("reason", ""), responding)
