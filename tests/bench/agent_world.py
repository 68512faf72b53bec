"""The agent's benches inside the namespaces of tests/slurm/run.sh: a real slurmctld, nodewatch watch
with the real helper, and a kernel log that is a pipe.

usage: agent_world.py line-to-drain PAIRS | agent-idle SECONDS | log-storm LINES
Prints one JSON object: what was measured. measure_agent.py makes rows of it."""

import fcntl
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "slurm")]

from bench_rows import Failure  # noqa: E402
from drain_world import DrainWorld, Ear, address  # noqa: E402
from slurm_world import CONF, WORLD, sh  # noqa: E402

BUILD = Path(os.environ["RC_TEST_BUILD"])
NODE, OTHER = "n1", "b1"
WARM_UP = 20
REST_S = 0.03  # what follows a drain (its reason, the state file) is over before the next line
PIPE_BYTES = 1 << 20
# A clock that nothing keeps (as on a test machine) is told of a minute after the start: an event.
SETTLE_S = 66
CHUNK = 1000  # lines of a storm that are written at once


class Agent:
    """nodewatch watch; RC_BENCH_SOCKET tells when slurmctld took its drain."""

    def __init__(self, ear=None, probes=False):
        self.kmsg = WORLD / "kmsg"
        os.mkfifo(self.kmsg)
        self.fd = os.open(self.kmsg, os.O_RDWR)
        fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.seq = 0
        env = dict(os.environ)
        if ear:
            env.update({"RC_BENCH_SOCKET": ear.path,
                        "LD_PRELOAD": str(BUILD / "bench" / "libbench_tap.so")})
        self.log = WORLD / "agent.log"
        self.process = subprocess.Popen(
            [BUILD / "bin" / "nodewatch", "watch", "--node", NODE, "--conf", CONF, "--state",
             WORLD / "agent.state", "--kmsg", self.kmsg, *([] if probes else ["--no-probes"])],
            env=env, stderr=self.log.open("wb"))

    def line(self, text):
        self.seq += 1
        return f"3,{self.seq},{self.seq * 10},-;{text}\n".encode()

    def say(self, text):
        os.write(self.fd, self.line(text))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(20):
            raise Failure("the agent ended badly: " + self.log.read_text()[-300:])


def agents_world():
    """The node's address is this machine's: an agent tells nothing of a name elsewhere."""
    DrainWorld(1)
    sh("ip", "addr", "add", f"{address(1)}/32", "dev", "lo")


def extra():
    out = sh("scontrol", "show", "node", NODE)
    return next((line.strip()[6:] for line in out.splitlines() if line.strip().startswith("Extra=")), "")


def wait(condition, what, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.005)


class Floor:
    """The bare update: libslurm and nothing else."""

    def __init__(self):
        self.process = subprocess.Popen([BUILD / "bench" / "slurm_floor_update", CONF], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, verb, node):
        self.process.stdin.write(f"{verb} {node}\n")
        self.process.stdin.flush()
        _, _, number, us, _ = self.process.stdout.readline().split()
        if verb == "drain" and number != "0":
            raise Failure(f"the bare update failed: {number}")
        return int(us) / 1000


def line_to_drain(pairs):
    agents_world()
    ear, floor = Ear("agent.sock"), Floor()
    agent = Agent(ear)
    agent.say("NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.")
    ear.hear()  # the helper is up
    measured = []
    for i in range(pairs + WARM_UP):
        floor.ask("resume", NODE)
        floor.ask("resume", OTHER)
        time.sleep(REST_S)
        text = f"NVRM: Xid (PCI:{i + 2:04x}:10:1c): 79, pid=77, name=python3, GPU has fallen off the bus."

        def ours():
            begin = time.monotonic_ns()
            agent.say(text)
            ns, names = ear.hear()
            if names != NODE:
                raise Failure(f"{names} was drained, expected {NODE}")
            return (ns - begin) / 1e6

        def theirs():
            return floor.ask("drain", OTHER)

        if i % 2:
            a, b = ours(), theirs()
        else:
            b, a = theirs(), ours()
        if i >= WARM_UP:
            measured.append((a, b))
    agent.end()
    return {"pairs": measured}


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of_agent(seconds):
    """CPU time of an agent that lives so long, with its helper and its probes."""
    for name in ("kmsg", "agent.state"):
        (WORLD / name).unlink(missing_ok=True)
    before = cpu_of_children()
    agent = Agent(probes=True)
    time.sleep(seconds)
    memory = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{agent.process.pid}/status").read_text())[1])
    helpers = sum(int(found[1]) for found in (
        re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in
        Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text().split()) if found)
    agent.end()
    return cpu_of_children() - before, memory, helpers


def cpu_of_command(rounds, *command):
    before = cpu_of_children()
    for _ in range(rounds):
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (cpu_of_children() - before) / rounds


def agent_idle(seconds):
    """Two lives: their difference is what a time without events costs."""
    agents_world()
    short, _, _ = cpu_of_agent(SETTLE_S)
    long, memory, helpers = cpu_of_agent(SETTLE_S + seconds)
    script = cpu_of_command(10, "bash", str(TOP / "tests" / "bench" / "nhc_like.sh"))
    grep = cpu_of_command(10, "bash", "-c", "dmesg | grep -E 'NVRM: Xid|AER: .*error|EDAC .* UE|efa .*admin'")
    return {"agent_s": max(0.0, long - short) / seconds * 3600, "script_s": script * 60,
            "grep_s": grep * 12, "memory_kib": memory, "helpers_kib": helpers}


def log_storm(lines):
    """All lines within a second, a guilty one among them."""
    agents_world()
    ear = Ear("agent.sock")
    agent = Agent(ear)
    agent.say("NVRM: Xid (PCI:0000:01:00): 31, MMU Fault")
    wait(lambda: "xid:31" in extra(), "the agent")
    rss = lambda: int(re.search(r"VmRSS:\s+(\d+)", Path(
        f"/proc/{agent.process.pid}/status").read_text())[1])
    before, needle = rss(), lines // 2
    benign = "audit: type=1400 audit(1723304401.1:5): comm=\"x\""
    texts = ["NVRM: Xid (PCI:0000:01:00): 31, pid=1, name=python3, MMU Fault", benign]
    blocks = [b"".join(agent.line(texts[i % 2] if i != needle else
                                  "NVRM: Xid (PCI:0000:02:00): 79, GPU has fallen off the bus.")
                       for i in range(at, at + CHUNK)) for at in range(0, lines, CHUNK)]
    begin, said_ns, most = time.monotonic(), 0, before
    for i, block in enumerate(blocks):
        pause = begin + i * CHUNK / lines - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        if i == needle // CHUNK:
            said_ns = time.monotonic_ns()
        os.write(agent.fd, block)
        most = max(most, rss())
    written_s = time.monotonic() - begin
    drained_ns, _ = ear.hear()
    # The node that is drained is drained once: a second drain would be heard.
    count = lines // 2 + (needle % 2 == 1) + 1 - (needle % 2 == 0)
    wait(lambda: f"xid:31@0000:01:00*{count}:" in extra(), f"all {count} lines counted", 40)
    ear.socket.settimeout(1.0)
    drains = 1
    try:
        while True:
            ear.hear()
            drains += 1
    except Failure:
        pass
    most = max(most, rss())
    agent.end()
    lost = "log:overrun" in extra()
    return {"written_s": written_s, "drain_ms": (drained_ns - said_ns) / 1e6, "drains": drains,
            "grown_kib": most - before, "lost": int(lost), "counted": count}


def main():
    benches = {"line-to-drain": line_to_drain, "agent-idle": agent_idle, "log-storm": log_storm}
    try:
        print(json.dumps(benches[sys.argv[1]](int(sys.argv[2]))))
    except (Failure, TimeoutError, OSError, subprocess.SubprocessError) as reason:
        print(f"{sys.argv[1]}: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
