#!/usr/bin/env python3
"""Does rc-slurm-sim speak the helper's line protocol, with rc-world behind it?

    slurm_sim_check.py FOLDER-OF-PROGRAMS

Prints "ok - slurm-sim: …" or "not ok - slurm-sim: …" for each check.
"""
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import urllib.request

CONF = """ClusterName=demo
SlurmctldHost=controller-1
NodeName=gpu-[1-3] NodeAddr=10.0.0.[11-13] CPUs=96 RealMemory=1000
PartitionName=gpu Nodes=gpu-[1-3]
"""

failures = 0


def check(good, sentence, detail=""):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - slurm-sim: {sentence}")
    if not good:
        print(f"#   {detail}")


class Helper:
    """One rc-slurm-sim, asked line by line."""

    def __init__(self, program, role, socket):
        self.process = subprocess.Popen([program, "--role", role, "--world", socket],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)
        self.hello = self.process.stdout.readline().split()
        self.seq = 0

    def send(self, request):
        self.seq += 1
        self.process.stdin.write(f"{self.seq} {request}\n")
        self.process.stdin.flush()

    def answered(self, seconds):
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def answer(self):
        """Rows up to "ok" or "err": (word, {key: value}) each."""
        rows = []
        while not rows or rows[-1][0] not in ("ok", "err"):
            fields = self.process.stdout.readline().split()
            if not fields or int(fields[0]) != self.seq:
                raise RuntimeError(f"unexpected line {fields}")
            rows.append((fields[1], dict(f.split("=", 1) for f in fields[2:])))
        return rows

    def ask(self, request):
        self.send(request)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        return status


def until(condition, seconds=8.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def check_reading(reader, admin):
    check(reader.hello[:3] == ["hello", "1", "role=reader"], "hello comes first", reader.hello)
    check(reader.ask("ping")[-1] == ("ok", {"primary": "0"}), "the controller is up")
    rows = reader.ask("nodes since=0")
    check([r[1]["name"] for r in rows[:-1]] == ["gpu-1", "gpu-2", "gpu-3"]
          and rows[0][1]["addr"] == "10.0.0.11" and rows[0][1]["flags"] == ""
          and rows[0][1]["partition"] == "gpu" and rows[-1][1]["count"] == "3",
          "the nodes of slurm.conf are shown", rows)
    time.sleep(1.1)
    since = reader.ask("nodes since=0")[-1][1]["time"]
    rows = reader.ask(f"nodes since={since}")
    check(rows == [("ok", {"time": since, "jobs": "0", "unchanged": "1"})], "no change gives no rows", rows)
    rows = reader.ask("node names=gpu-[2-3],none")
    check([r[1]["name"] for r in rows[:-1]] == ["gpu-2", "gpu-3"], "single nodes are shown", rows)
    job = admin("job", {"nodes": 2, "run_ms": 60000})["id"]
    rows = reader.ask("jobs node=gpu-2")
    check(rows[0][1]["id"] == str(job) and rows[0][1]["nodes"] == "gpu-1,gpu-2"
          and rows[0][1]["state"] == "RUNNING", "a job is shown on its nodes", rows)
    check(reader.ask("jobs node=gpu-3") == [("ok", {"count": "0"})], "and not on others")
    check(reader.ask("config")[-1][1]["version"] == "22.05.8", "the configuration is told")
    check(reader.ask("drain names=gpu-1 reason=rc:1%20x")[0][1]["code"] == "invalid-request",
          "a reader does not write")


def check_writing(reader, writer, admin):
    rows = writer.ask("drain names=gpu-1 reason=rc:7%20terminated")
    check([r[0] for r in rows] == ["accepted", "node", "ok"]
          and rows[1][1] == {"name": "gpu-1", "result": "drained",
                             "reason": "rc:7%20terminated"}, "a drain is accepted, then told",
          rows)
    rows = reader.ask("node names=gpu-1")
    check(rows[0][1]["flags"] == "drain,allocated", "the node drains and keeps its job", rows)
    admin("node", {"node": "gpu-3", "action": "drain", "reason": "bob looks"})
    rows = writer.ask("drain names=gpu-3 reason=rc:8%20x")
    check(rows[1][1]["result"] == "foreign" and rows[1][1]["reason"] == "bob%20looks",
          "a foreign reason stays", rows)
    rows = writer.ask("resume names=gpu-[1-3],none")
    check([r[1]["result"] for r in rows[:-1]] == ["resumed", "not-drained", "foreign", "missing"],
          "only what is ours is resumed", rows)
    rows = writer.ask("jobs-signal node=gpu-1 signal=10")
    check(rows[0][1]["result"] == "done", "a job is signalled", rows)
    rows = writer.ask("jobs-requeue node=gpu-1")
    check(rows[0][1]["result"] == "done", "a job is requeued", rows)
    for request in ("drain names=gpu-1 reason=mine", "drain names=gpu-[1- reason=rc:1%20x",
                    "resume", "jobs-signal node=gpu-1 signal=0", "no-such"):
        rows = writer.ask(request)
        check(rows[0][0] == "err" and rows[0][1]["code"] == "invalid-request",
              f"\"{request}\" is refused", rows)
    admin("node", {"node": "gpu-3", "action": "resume"})


def check_replacement(reader, writer, admin, conf):
    """A node's instance goes; another address takes its name by slurm.conf."""
    admin("terminate", {"node": "gpu-2"})

    def flags():
        return reader.ask("node names=gpu-2")[0][1]["flags"]

    check(until(lambda: "not_responding" in flags()), "a lost node does not respond")
    check(until(lambda: "down" in flags()), "and is then DOWN")
    with open(conf, "w", encoding="ascii") as f:
        f.write(CONF.replace("10.0.0.[11-13]", "10.0.0.[11,11-12]"))
    rows = writer.ask("reconfigure")
    check(rows == [("ok", {})], "slurm.conf is read again", rows)
    rows = reader.ask("node names=gpu-2")
    check(rows[0][1]["addr"] == "10.0.0.11", "the node has its new address", rows)
    check(until(lambda: "not_responding" not in flags()), "it registers from there")
    with open(conf, "w", encoding="ascii") as f:
        f.write("NodeName=gpu-[1-3 CPUs=2\n")
    rows = writer.ask("reconfigure")
    check(rows[0][1].get("code") == "slurm-refused" and "slurm.conf:1" in rows[0][1]["text"],
          "a slurm.conf that is wrong is refused with its place", rows)
    check(len(reader.ask("nodes since=0")) == 4, "and the nodes stay as they were")


def check_trouble(reader, admin):
    admin("slurmctld", {"mode": "down"})
    rows = reader.ask("nodes since=0")
    check(rows[0][1]["code"] == "slurm-unreachable", "a slurmctld that is down gives an error",
          rows)
    check(reader.ask("ping")[-1] == ("ok", {"primary": "-"}), "and has no primary")
    admin("slurmctld", {"mode": "hung"})
    reader.send("nodes since=0")
    check(not reader.answered(0.7), "a slurmctld that hangs gives no answer")
    admin("slurmctld", {"mode": "up"})
    check(len(reader.answer()) == 4, "and gives it when it is back")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: slurm_sim_check.py FOLDER-OF-PROGRAMS")
    helper = os.path.join(sys.argv[1], "rc-slurm-sim")
    with tempfile.TemporaryDirectory() as folder:
        conf = os.path.join(folder, "slurm.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(CONF)
        world = subprocess.Popen(
            [os.path.join(sys.argv[1], "rc-world"), "--with-parent", "--slurm-conf", conf,
             "--ping-ms", "300", "--slurmd-timeout-ms", "1500", "--slurm-socket",
             os.path.join(folder, "socket")], stdout=subprocess.PIPE, text=True)
        ready = json.loads(world.stdout.readline())

        def admin(path, body):
            with urllib.request.urlopen(f"{ready['endpoint']}/_world/{path}",
                                        json.dumps(body).encode(), 10) as answer:
                return json.load(answer)

        reader = Helper(helper, "reader", ready["slurm_socket"])
        writer = Helper(helper, "writer", ready["slurm_socket"])
        check_reading(reader, admin)
        check_writing(reader, writer, admin)
        check_replacement(reader, writer, admin, conf)
        check_trouble(reader, admin)
        check(writer.end() == 0, "a helper ends with 0 at the end of its input")
        world.terminate()
        check(world.wait(10) == 0 and reader.process.wait(10) == 1,
              "a helper ends with 1 when its world is gone")
        world.stdout.close()
        reader.process.stdin.close()
        reader.process.stdout.close()
        check(subprocess.run([helper, "--role", "reader", "--world", conf], check=False,
                             capture_output=True).returncode == 1,
              "a helper without a world ends with 1")
        check(subprocess.run([helper, "--role", "cook"], check=False,
                             capture_output=True).returncode == 2, "another role is a usage error")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
