"""The drain benches inside the namespaces of tests/slurm/run.sh: a real slurmctld, the
daemon and the bare loop, each with an embedded endpoint of its own.

usage: drain_world.py event-to-drain PAIRS | fault-storm NODES | breaker NODES
Prints one JSON object: the times measured. measure_drain.py makes rows of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "slurm")]

from bench_rows import Failure  # noqa: E402
from bench_world import Daemon, EmbeddedWorld, end, group, wait  # noqa: E402
from slurm_world import CONF, WORLD, World, sh  # noqa: E402

BUILD = Path(os.environ["RC_TEST_BUILD"])
ACCEPT_S = 10.0
WARM_UP = 20
STORM_S = 20.0
DESTRUCTIVE = ("RunInstances", "TerminateInstances", "StopInstances", "RebootInstances")
REST_S = 0.03  # what follows a drain (its reason, its record) is over before the next message


class DrainWorld(World):
    """Nodes that never register, each with an address of its own: n… for the daemon,
    b… for the baseline. None of them ever answers, so none may be judged by its silence."""

    def __init__(self, count):
        self.count = count
        super().__init__(live=0, conf={"SlurmdTimeout": "65533"})

    def network(self):
        super().network()
        sh("ip", "route", "add", "local", "10.213.128.0/17", "dev", "lo")

    def write_conf(self):
        super().write_conf()
        head = [line for line in CONF.read_text().splitlines()
                if not line.startswith(("NodeName", "PartitionName"))]
        rows = [f"NodeName={kind}{i} NodeAddr={address(base + i)} CPUs=1 RealMemory=100"
                for kind, base in (("n", 0), ("b", 16000)) for i in range(1, self.count + 1)]
        part = f"PartitionName=q Nodes=n[1-{self.count}],b[1-{self.count}] Default=YES State=UP"
        CONF.write_text("\n".join([*head, *rows, part]) + "\n")


def address(i):
    return f"10.213.{128 + i // 250}.{4 + i % 250}"  # EC2 keeps a subnet's first four


class Ear:
    """Hears when a drain was accepted: (monotonic ns, node names)."""

    def __init__(self, name):
        self.path = str(WORLD / name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(self.path)
        self.socket.settimeout(ACCEPT_S)

    def hear(self):
        try:
            ns, names = self.socket.recv(1 << 20).decode().split(" ", 1)
        except TimeoutError:
            raise Failure(f"no drain was accepted within {ACCEPT_S:.0f} s") from None
        return int(ns), names


def endpoint(conf_nodes=True):
    config = WORLD / f"world-{'ours' if conf_nodes else 'theirs'}.json"
    what = {"cluster": "bench", "events": False}
    if conf_nodes:
        what.update({"subnets": [{"id": "subnet-a", "az": "us-east-1a", "cidr": "10.213.128.0/18"}],
                     "templates": [{"id": "lt-1", "name": "gpu", "version": 1,
                                    "type": "p4d.24xlarge", "image": "ami-1",
                                    "subnet": "subnet-a", "default": True}],
                     "slurm": {"nodes_max": 16384}, "slurm_conf": str(CONF)})
    config.write_text(json.dumps(what))
    return EmbeddedWorld(BUILD, 0 if conf_nodes else 1, "--config", str(config))


def only_drain(policy):
    """Every interruption is drained and then waits for a person; nothing else is answered."""
    everything = {"count": 20000}
    policy["limits"]["out"] = {scope: everything for scope in ("cluster", "partition", "zone")}
    policy["limits"]["breaker"] = {"off": True}
    policy["limits"]["in_flight"] = 1024
    policy["rules"] = [
        {"name": "drain", "match": {"fault": ["interruption"]}, "jobs": {"mode": "wait"},
         "ladder": [{"rung": "quarantine"}]},
        {"name": "rest", "ignore": True}]


def start_daemon(world, ear, count, policy, **queue):
    helper = str(BUILD / "bin" / "rc-slurm-helper")
    env = {**world.env(), "SLURM_CONF": str(CONF), "RC_BENCH_SOCKET": ear.path,
           "LD_PRELOAD": str(BUILD / "bench" / "libbench_tap.so")}
    daemon = Daemon(BUILD, env, world.queue_url, {
        "cluster": {"groups": [group(f"n[1-{count}]")]},
        "queue": queue,
        "slurm": {"conf": str(CONF),
                  "reader": {"program": helper, "args": ["--role", "reader"]},
                  "writer": {"program": helper, "args": ["--role", "writer"]},
                  "registrar": {"program": str(BUILD / "bin" / "rc-registrar")}}}, policy)
    daemon.start()
    # Ready when it has seen the cluster and listens to the queue.
    wait(lambda: daemon.check() or world.requests("ReceiveMessage"), "the daemon receives")
    wait(lambda: daemon.check() or world.requests("DescribeInstanceStatus"), "the daemon polls")
    time.sleep(2)
    return daemon


def interruption(instance):
    return json.dumps({
        "version": "0", "id": str(uuid.uuid4()), "account": "123456789012",
        "detail-type": "EC2 Spot Instance Interruption Warning", "source": "aws.ec2",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "region": "us-east-1",
        "resources": [f"arn:aws:ec2:us-east-1a:instance/{instance}"],
        "detail": {"instance-id": instance, "instance-action": "terminate"}})


def instances_of(world):
    return {row["tags"]["slurm-on-aws:node"]: row["id"] for row in world.ask("GET", "instances")}


def one(world, ear, body, node):
    time.sleep(REST_S)
    begin = time.monotonic_ns()
    world.ask("POST", "message", {"body": body})
    ns, names = ear.hear()
    if names != node:
        raise Failure(f"{names} was drained, expected {node}")
    return (ns - begin) / 1e6


def event_to_drain(pairs):
    count = pairs + WARM_UP
    DrainWorld(count)
    ours, theirs = endpoint(), endpoint(conf_nodes=False)
    our_ear, their_ear = Ear("ours.sock"), Ear("theirs.sock")
    instances = instances_of(ours)
    floor = subprocess.Popen([BUILD / "bench" / "bench_floor", theirs.queue_url, their_ear.path],
                             env={**theirs.env(), "SLURM_CONF": str(CONF)})
    daemon = start_daemon(ours, our_ear, count, only_drain)
    measured = []
    try:
        for i in range(1, count + 1):
            turns = [lambda i=i: one(ours, our_ear, interruption(instances[f"n{i}"]), f"n{i}"),
                     lambda i=i: one(theirs, their_ear, f"b{i}", f"b{i}")]
            if i % 2:
                a, b = turns[0](), turns[1]()
            else:
                b, a = turns[1](), turns[0]()
            if i > WARM_UP:
                measured.append((a, b))
    finally:
        daemon.close()
        end(floor)
        ours.close()
        theirs.close()
    return {"pairs": measured}


def drained_nodes(kind):
    rows = sh("sinfo", "-h", "-N", "-o", "%N %T").split("\n")
    return sum(1 for row in rows if row.startswith(kind) and "drain" in row)


def storm(world, ear, daemon, count):
    """The messages wait in the queue while the daemon sleeps; the clock starts with it."""
    instances = instances_of(world)
    daemon.process.send_signal(signal.SIGSTOP)
    for i in range(1, count + 1):
        world.ask("POST", "message", {"body": interruption(instances[f"n{i}"])})
    begin = time.monotonic_ns()
    daemon.process.send_signal(signal.SIGCONT)
    heard, calls, last = set(), 0, begin
    while len(heard) < count:
        last, names = ear.hear()
        calls += 1
        heard.update(sh("scontrol", "show", "hostnames", names).split())
    if drained_nodes("n") != count:
        raise Failure(f"{drained_nodes('n')} of {count} nodes show a drain")
    return (last - begin) / 1e6, calls


def fault_storm(count):
    DrainWorld(count)
    world, ear = endpoint(), Ear("ours.sock")
    daemon = start_daemon(world, ear, count, only_drain, receives=4)
    try:
        ms, calls = storm(world, ear, daemon, count)
    finally:
        daemon.close()
        world.close()
    begin = time.monotonic_ns()
    sh("scontrol", "update", f"NodeName=b[1-{count}]", "State=DRAIN", "Reason=bench")
    return {"ms": ms, "calls": calls, "scontrol_ms": (time.monotonic_ns() - begin) / 1e6}


def breaker(count):
    """The same storm under the shipped policy: what was done to instances when it is over?"""
    DrainWorld(count)
    world, ear = endpoint(), Ear("ours.sock")
    daemon = start_daemon(world, ear, count, None, receives=4)
    limits = json.loads((daemon.folder / "policy.json").read_text())["limits"]
    try:
        instances = instances_of(world)
        daemon.process.send_signal(signal.SIGSTOP)
        for i in range(1, count + 1):
            world.ask("POST", "message", {"body": interruption(instances[f"n{i}"])})
        daemon.process.send_signal(signal.SIGCONT)
        time.sleep(STORM_S)
        daemon.check()
        done = {action: len(world.requests(action)) for action in DESTRUCTIVE}
    finally:
        daemon.close()
        world.close()
    return {"done": done, "out": limits["out"]["cluster"]}


def main():
    benches = {"event-to-drain": event_to_drain, "fault-storm": fault_storm, "breaker": breaker}
    try:
        print(json.dumps(benches[sys.argv[1]](int(sys.argv[2]))))
    except (Failure, TimeoutError, OSError, subprocess.SubprocessError) as reason:
        print(f"{sys.argv[1]}: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
