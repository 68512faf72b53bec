"""nodewatch watch beside a real slurmctld, and what the checks see of it.

The kernel log is a pipe that gives records as /dev/kmsg does, with sequence numbers."""

import ctypes
import os
import pathlib
import signal
import subprocess
import time

from slurm_world import CONF, WORLD, World, sh

NODEWATCH = os.environ["RC_BIN"] + "/nodewatch"
BOOT = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
XID = "NVRM: Xid (PCI:0000:10:1c): {}, pid=77, name=python3, text"


class Kmsg:
    """The device's other end."""

    def __init__(self, name):
        self.path, self.seq, self.ring = WORLD / name, 100, []
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)

    def say(self, text, prio=3, seq=None):
        self.seq = self.seq + 1 if seq is None else seq
        self.ring.append(f"{prio},{self.seq},{self.seq * 10},-;{text}\n".encode())
        os.write(self.fd, self.ring[-1])

    def say_bytes(self, body):
        self.seq += 1
        self.write(f"3,{self.seq},{self.seq * 10},-;".encode() + body + b"\n")

    def write(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def give_again(self):
        """To who opens the device anew, it gives all that is in the ring."""
        os.set_blocking(self.fd, False)
        try:
            while os.read(self.fd, 1 << 16):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(self.fd, True)
        os.write(self.fd, b"".join(self.ring))


class Agent:
    def __init__(self, world, node, *options, probes=False, env=None):
        self.on_node, self.env = world.on_node(int(node[1:])), env or {}
        self.node, self.options = node, options if probes else ("--no-probes", *options)
        self.kmsg = Kmsg(f"kmsg-{node}-{time.monotonic_ns()}")
        self.state = WORLD / f"state-{node}"
        self.log = WORLD / f"nodewatch-{node}.log"
        self.log.write_text("")
        self.start()

    def start(self):
        self.proc = subprocess.Popen(
            [*self.on_node, NODEWATCH, "watch", "--node", self.node, "--conf", CONF, "--state",
             self.state, "--kmsg", self.kmsg.path, *self.options],
            env={**os.environ, **self.env}, stderr=self.log.open("ab"))

    def kill(self, sig=signal.SIGKILL):
        self.proc.send_signal(sig)
        return self.proc.wait(20)

    def said(self):
        return self.log.read_text(errors="replace")


class StuckMount:
    """A FUSE file system whose server never answers, not even the kernel's first word."""

    def __init__(self, point):
        self.point = point
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self):
        self.point.mkdir()
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0".encode()
        if self.libc.mount(b"stuck", bytes(self.point), b"fuse.stuck", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        return self.point

    def __exit__(self, *_):
        os.close(self.fd)
        self.libc.umount2(bytes(self.point), 2)


def reason(node):
    return World.node(node)["Reason"].split(" [")[0]


def extra(node):
    text = sh("scontrol", "show", "node", node)
    return next((line.strip().removeprefix("Extra=") for line in text.splitlines()
                 if line.strip().startswith("Extra=")), "")


def drained(node):
    return "DRAIN" in World.node(node)["State"]


def resume(node):
    sh("scontrol", "update", f"nodename={node}", "extra=", check=False)
    sh("scontrol", "update", f"nodename={node}", "state=resume", check=False)
    World.wait(lambda: not drained(node), f"{node} is back")


def fresh(node):
    """The node is back, and nothing is left of what an agent has told or written down."""
    resume(node)
    (WORLD / f"state-{node}").unlink(missing_ok=True)


class Checks:
    def __init__(self, world):
        self.world = world

    def run(self, node, *options, **more):
        fresh(node)
        return Agent(self.world, node, *options, **more)


def library(name, source):
    path = WORLD / f"{name}.so"
    if not path.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-o", path, pathlib.Path(os.environ["RC_TOP"], source)],
                       check=True)
    return str(path)


def stub_nvml():
    """Our own library in NVML's place, loaded by path."""
    return library("stub_nvml", "tests/unit/watch/stub_nvml.c")


def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rss_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_s(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
