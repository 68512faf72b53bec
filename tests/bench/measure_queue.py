"""queue: a full queue of messages that need no action, drained by the daemon and by a
bare loop that receives and deletes, in turns. The rate is counted at the endpoint: from
the first receive to the last delete."""

import json
import subprocess
import uuid

from bench_rows import Failure, median, note, row
from bench_world import Daemon, EmbeddedWorld, group, simulated_slurm, wait

ROUNDS, MESSAGES, NODES = 5, 10_000, 64
SHARE_MIN = 0.9
DRAIN_S = 120


def fill(world, instances):
    for i in range(MESSAGES):
        instance = instances[i % len(instances)]
        world.ask("POST", "message", {"body": json.dumps({
            "version": "0", "id": str(uuid.uuid4()), "account": "123456789012",
            "detail-type": "EC2 Instance Rebalance Recommendation", "source": "aws.ec2",
            "time": "2026-11-23T06:30:00Z", "region": "us-east-1",
            "resources": [f"arn:aws:ec2:us-east-1:123456789012:instance/{instance}"],
            "detail": {"instance-id": instance}})})


def counts(world):
    return world.ask("GET", "queues")[0]


def rate(world, drain):
    """Messages a second while drain() empties the queue."""
    before = last_seq(world)
    drain()
    receives = [r for r in world.requests("ReceiveMessage") if r["seq"] > before]
    deletes = [r for r in world.requests("DeleteMessageBatch") if r["seq"] > before]
    if not receives or not deletes:
        raise Failure("the queue was not drained")
    return MESSAGES / max(1, deletes[-1]["time_ms"] - receives[0]["time_ms"]) * 1000


def last_seq(world):
    return max((r["seq"] for r in world.requests("DeleteMessageBatch")), default=0)


def is_empty(world):
    queue = counts(world)
    return queue["visible"] == 0 and queue["in_flight"] == 0


def by_loop(build, world):
    subprocess.run([build / "bench" / "bench_receive", world.queue_url, str(MESSAGES)],
                   env=world.env(), check=True, timeout=DRAIN_S)


def by_daemon(build, world):
    daemon = Daemon(build, world.env(), world.queue_url,
                    {"cluster": {"groups": [group(f"node-[1-{NODES}]")]},
                     "queue": {"wait": "1s"},
                     "slurm": simulated_slurm(build, world, "/dev/null")})
    try:
        daemon.start()
        wait(lambda: daemon.check() or is_empty(world), "the queue is empty", DRAIN_S, 0.2)
    finally:
        daemon.close()


def measure(build):
    note(f"queue: {ROUNDS} times {MESSAGES} messages by the daemon and by a bare loop")
    world = EmbeddedWorld(build, NODES)
    try:
        instances = [i["id"] for i in world.ask("GET", "instances")]
        loop, daemon = [], []
        for turn in range(ROUNDS):
            order = [(loop, by_loop), (daemon, by_daemon)]
            for rates, drain in order if turn % 2 == 0 else reversed(order):
                fill(world, instances)
                rates.append(rate(world, lambda drain=drain: drain(build, world)))
    finally:
        world.close()
    share = median([ours / theirs for ours, theirs in zip(daemon, loop)])
    return [row("queue", "messages_per_second", median(daemon), "1/s", baseline=median(loop)),
            row("queue", "share_of_bare_loop", share, "x", baseline=1, limit=SHARE_MIN,
                at_least=True)]
