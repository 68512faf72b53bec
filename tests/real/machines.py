"""The machine-maker: gives each EC2 instance of the emulator a body.

A pending instance gets a network namespace with its private address, a host key,
sshd and slurmd, and is then reported running; one that stops or ends is killed as
a whole, its namespace goes, and it is reported stopped or terminated. A stopped
one that is started again gets a new body with the same address and host key.
"""
import os
import sys
import threading
import time
from pathlib import Path

from tests.real.hardware import Hardware
from tests.real.lifeline import end_process, run, start_time

LOOK_S = 0.1
HERE = Path(__file__).parent
BOOT_S = 1.0  # from launch to running, before the system itself starts

SSHD_CONFIG = """Port 22
HostKey {folder}/host_key
AuthorizedKeysFile {keys}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
SetEnv PATH={tools}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin RC_NODEWATCH_PROGRAM={nodewatch}
"""


class Machine:
    """One body: its namespace, its first process, its folder."""

    def __init__(self, world, instance, index):
        self.world, self.instance_id, self.addr = world, instance["id"], instance["addr"]
        self.node = instance["tags"].get("slurm-on-aws:node", "")
        self.namespace = f"{world.prefix}-{instance['id'][-8:]}"
        self.link = f"v{index}"
        self.folder = world.folder / "instances" / instance["id"]
        self.hardware = Hardware(self.folder / "node", world.folder / "stub_nvml.so", index)
        self.boots = 0
        self.init = None
        self.due = None  # when the power comes, while it is pending

    def console(self):
        """What cloud-init prints at first boot, and EC2 hands out."""
        key = (self.folder / "host_key.pub").read_text(encoding="ascii").rsplit(" ", 1)[0]
        return ("[    0.000000] Linux version 6.1.0 (slurm-on-aws machine-maker)\n"
                "-----BEGIN SSH HOST KEY KEYS-----\n"
                f"{key} root@{self.node}\n"
                "-----END SSH HOST KEY KEYS-----\n"
                f"{self.node} login: \n")

    def prepare(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "host_key").exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "host", "-f",
                self.folder / "host_key")
        (self.folder / "sshd_config").write_text(SSHD_CONFIG.format(
            folder=self.folder, keys=self.world.folder / "authorized_keys",
            tools=self.world.folder / "tools",
            nodewatch=self.world.programs / "nodewatch"), encoding="ascii")

    def power_on(self, boots):
        self.prepare()
        self.hardware.boot()
        life = self.world.lifeline
        life.add_namespace(self.namespace)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns",
            self.namespace)
        run("ip", "link", "set", self.link, "master", "br0", "up")
        for words in (("addr", "add", f"{self.addr}/16", "dev", "eth0"),
                      ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            # not "ip -n", which wants to mount /sys anew
            run("nsenter", f"--net=/run/netns/{self.namespace}", "ip", *words)
        env = {**os.environ, "RC_NODE": self.node, "RC_INSTANCE_DIR": str(self.folder),
               "RC_ADMIT": self.world.admit_command(self.node),
               "RC_AGENT": "1" if self.world.agents else "",
               "RC_NODEWATCH_PROGRAM": str(self.world.programs / "nodewatch"),
               "RC_TOOLS": str(self.world.folder / "tools"),
               "SLURM_CONF": str(self.world.slurm_conf),
               **self.world.boot_env(self.node, self.instance_id)}
        with open(self.folder / "init.log", "ab") as log:
            self.init = life.spawn(
                ["nsenter", f"--net=/run/netns/{self.namespace}", sys.executable, HERE / "boot.py",
                 "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child=KILL",
                 "--mount-proc", "bash", HERE / self.world.boot_script(self.node)], at_once=True,
                env=env, stdout=log, stderr=log)
        self.boots = boots

    def power_off(self):
        """As pulling the plug: nothing inside is told."""
        if self.init:
            end_process(self.init.pid, start_time(self.init.pid), 0)
            self.init.wait()
            self.init = None
            # The kernel keeps a namespace, and its end of the cable, for as long as a connection
            # of the dead tries to say goodbye: minutes, when a partition drops that.
            run("ip", "link", "del", self.link, check=False)
            run("ip", "netns", "del", self.namespace, check=False)


class MachineMaker(threading.Thread):
    """Follows the emulator's instances until stop() or the first failure."""

    def __init__(self, world):
        super().__init__(name="machine-maker", daemon=True)
        self.world = world
        self.machines = {}
        self.unpowered = set()  # nodes that stay pending for now
        self.failure = None
        self.stopped = threading.Event()

    def run(self):
        try:
            while not self.stopped.wait(LOOK_S):
                for instance in self.world.emulator("instances")["instances"]:
                    self.follow(instance)
        except Exception as error:  # kept for the owner, who asks with check()
            if not self.stopped.is_set():
                self.failure = error

    def check(self):
        if self.failure:
            raise RuntimeError(f"machine-maker: {self.failure}") from self.failure

    def stop(self):
        self.stopped.set()
        self.join()

    def follow(self, instance):
        machine = self.machines.get(instance["id"])
        if machine is None:
            machine = Machine(self.world, instance, len(self.machines) + 1)
            self.machines[instance["id"]] = machine
        state = instance["state"]
        if state == "pending" and machine.node not in self.unpowered:
            self.boot(machine, instance)
        elif state == "running" and instance["boots"] != machine.boots:
            machine.power_off()
            machine.power_on(instance["boots"])
        elif state in ("stopping", "shutting-down"):
            machine.power_off()
            self.told(machine, "stopped" if state == "stopping" else "terminated")

    def boot(self, machine, instance):
        """EC2 says running when the machine has power; its system then takes its own time."""
        machine.due = machine.due or time.monotonic() + BOOT_S
        if time.monotonic() >= machine.due:
            machine.due = None
            machine.power_on(instance["boots"])
            self.told(machine, "running", console=machine.console())

    def told(self, machine, state, **more):
        self.world.emulator("machine", id=machine.instance_id, state=state, **more)
