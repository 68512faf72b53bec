"""A whole cluster on one machine: real slurmctld, slurmd, munge and sshd, with moto's EC2.

The process that makes a RealWorld moves into the controller's network namespace.
The daemon under test is started by its user (the demo, a test), with the
environment that env() and aws_env() give. close() removes everything; so does the
reaper when the owner dies.
"""
import json
import os
import secrets
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from tests.real.hardware import build_stub
from tests.real.lifeline import Lifeline, add_bridge, enter_namespace, run
from tests.real.machines import MachineMaker
from tests.real.slurm import CONTROLLER_ADDR, START_S, Slurm, wait_for

# Inside the world's own network namespace, so that worlds never meet.
AWS_PORT, CONTROL_PORT = 5000, 5001
TAG = "slurm-on-aws:"


def programs():
    """Where the project's programs are."""
    return Path(os.environ.get("RC_BIN", "build/bin")).absolute()


class RealWorld:
    """agents: nodewatch watch runs on every node."""

    def __init__(self, cluster="demo", instance_type="p4d.24xlarge", agents=False):
        self.cluster, self.instance_type, self.agents = cluster, instance_type, agents
        self.programs = programs()
        self.prefix = f"rc{secrets.token_hex(3)}"
        self.folder = Path(tempfile.mkdtemp(prefix="rc-world-"))
        self.folder.chmod(0o755)
        self.lifeline = Lifeline(self.folder)
        self.slurm = Slurm(self)
        self.maker = MachineMaker(self)
        self.aws = {}  # ids of subnets, template, queue
        self.seeded = {}  # node -> {"id", "addr"} of its first instance

    @property
    def slurm_conf(self):
        return self.slurm.conf

    def env(self):
        return {**os.environ, "SLURM_CONF": str(self.slurm_conf)}

    def aws_env(self):
        """What the AWS SDKs, and the daemon, read."""
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{AWS_PORT}", "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}

    def admit_command(self, node):
        """The gate that a node's slurmd waits for, as its unit runs it."""
        return f"{programs()}/nodewatch admit --node {node}"

    def boot_script(self, _node):
        """The first process of the instance behind a name."""
        return "instance.sh"

    def boot_env(self, _node, _instance):
        """What it finds in its environment, besides what every instance does."""
        return {}

    def open(self, node_count=3):
        """Everything up, all nodes registered and idle."""
        self.network()
        self.start_emulator()
        self.aws = self.emulator("seed", cluster=self.cluster, type=self.instance_type)
        names = [f"gpu-{i}" for i in range(1, node_count + 1)]
        for i, name in enumerate(names):
            tags = {f"{TAG}cluster": self.cluster, f"{TAG}node": name}
            subnet = self.aws["subnets"][i % len(self.aws["subnets"])]
            self.seeded[name] = self.emulator("launch", subnet=subnet, tags=tags,
                                              template=self.aws["template"])
        self.slurm.write_conf(f"gpu-[1-{node_count}]",
                              ",".join(self.seeded[name]["addr"] for name in names))
        self.make_login_key()
        self.slurm.start()
        self.maker.start()
        wait_for(self.all_idle, START_S, "slurmd on every node", 0.2)

    def network(self):
        """The controller's namespace, with the bridge that every instance hangs on."""
        name = f"{self.prefix}-ctl"
        self.lifeline.add_namespace(name)
        enter_namespace(name)
        run("ip", "link", "set", "lo", "up")
        add_bridge("br0", f"{CONTROLLER_ADDR}/16")

    def start_emulator(self):
        python = os.environ.get("RC_MOTO_PYTHON")
        if not python:
            raise RuntimeError("RC_MOTO_PYTHON names no Python with moto: start through ./run")
        with open(self.folder / "emulator.log", "ab") as log:
            self.lifeline.spawn([python, Path(__file__).with_name("emulator.py"), AWS_PORT,
                                 CONTROL_PORT], at_once=True, stdout=log, stderr=log, cwd=self.folder,
                                env={**os.environ, **self.aws_env()})
        wait_for(self.emulator_ready, START_S, "the AWS emulator")

    def emulator_ready(self):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{AWS_PORT}/moto-api/data.json", timeout=5)
            return True
        except OSError:
            return False

    def emulator(self, verb, **asked):
        """One request to the emulator's control port."""
        request = urllib.request.Request(f"http://127.0.0.1:{CONTROL_PORT}/{verb}",
                                         json.dumps(asked).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=START_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"emulator {verb}: {error.read().decode()}") from error

    def make_login_key(self):
        """The key with which the daemon's probe signs in on every instance."""
        key = self.folder / "login_key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "probe", "-f", key)
        shutil.copy(f"{key}.pub", self.folder / "authorized_keys")
        shutil.copytree(Path(__file__).with_name("tools"), self.folder / "tools")
        build_stub(self.folder)

    def machine(self, node):
        """The body of the instance that has this node's address now."""
        addr = self.slurm.nodes()[node]["addr"]
        return next(m for m in self.maker.machines.values() if m.addr == addr and m.init)

    def all_idle(self):
        self.maker.check()
        try:
            nodes = self.slurm.nodes()
        except RuntimeError:
            return False  # slurmctld is busy with its start: asked again
        return all(n["state"] == {"IDLE"} and n["responding"] and n["started"] != "None"
                   for n in nodes.values())

    def close(self):
        if self.maker.is_alive():
            self.maker.stop()
        for machine in self.maker.machines.values():
            machine.hardware.close()
        self.lifeline.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()
