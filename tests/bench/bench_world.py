"""The embedded world (rc-world) and the daemon, as the benches run them."""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench_rows import Failure
from simulator.demo.policy import strip_comments

REGION = "us-east-1"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
START_S, STOP_S = 30.0, 15.0


class EmbeddedWorld:
    """rc-world with so many nodes, on a free port; ends with this process at the latest."""

    def __init__(self, build, nodes, *flags):
        self.build = build
        self.process = subprocess.Popen(
            [build / "bin" / "rc-world", "--with-parent", "--nodes", str(nodes), "--region", REGION,
             "--cluster", "bench", "--access-key", KEY, "--secret-key", SECRET, *flags],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failure("rc-world did not start")
        ready = json.loads(line)
        self.endpoint, self.queue_url = ready["endpoint"], ready["queue_url"]
        self.slurm_socket = ready["slurm_socket"]
        self.http = http.client.HTTPConnection("127.0.0.1", ready["port"], timeout=30)

    def env(self):
        return {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL": self.endpoint}

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.http.request(method, f"/_world/{path}", text)
        answer = self.http.getresponse()
        data = json.loads(answer.read())
        if answer.status != 200:
            raise Failure(f"rc-world: {path}: {data}")
        return data

    def requests(self, action):
        return self.ask("GET", f"requests?action={action}")

    def close(self):
        self.http.close()
        end(self.process)


class Daemon:
    """reconcilerd in a folder of its own. config: changes to what is written here;
    policy: a function that changes the shipped policy."""

    def __init__(self, build, env, queue_url, config, policy=None):
        self.build, self.env = build, env
        self.folder = Path(tempfile.mkdtemp(prefix="rc-bench-"))
        self.log = self.folder / "reconcilerd.log"
        self.process = None
        shipped = json.loads(strip_comments(Path("policies/p4d.json").read_text(encoding="utf-8")))
        shipped.pop("$schema", None)
        if policy:
            policy(shipped)
        (self.folder / "policy.json").write_text(json.dumps(shipped), encoding="utf-8")
        whole = {
            "cluster": {"name": "bench", "groups": []},
            "aws": {"region": REGION},
            "queue": {"url": queue_url, "quarantine": str(self.folder / "quarantine.jsonl")},
            "policy": str(self.folder / "policy.json"),
            "state_dir": str(self.folder),
            "journal": {"dir": str(self.folder / "journal")},
            "lease": {"path": str(self.folder / "lease.json")},
            "incidents": {"path": str(self.folder / "incidents")},
            "control": {"socket": str(self.folder / "control.sock"), "mode": "0600"},
            "metrics": {"listen": ""},
            "log": {"file": str(self.log), "level": "warn"}}
        for room, keys in config.items():
            whole[room] = {**whole[room], **keys} if room in whole else keys
        (self.folder / "reconcilerd.json").write_text(json.dumps(whole, indent=1),
                                                      encoding="utf-8")

    def start(self):
        with open(self.folder / "reconcilerd.err", "wb") as err:
            self.process = subprocess.Popen(
                [self.build / "bin" / "reconcilerd", "--config", self.folder / "reconcilerd.json"],
                env=self.env, stdout=err, stderr=err)

    def check(self):
        if self.process.poll() is not None:
            said = (self.folder / "reconcilerd.err").read_text(errors="replace")
            log = self.log.read_text(errors="replace") if self.log.exists() else ""
            raise Failure(f"reconcilerd ended with status {self.process.returncode}: "
                          f"{(said + log)[-500:]}")

    def close(self):
        if self.process:
            end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def group(nodes):
    """Of the cluster file: nodes is a Slurm host list."""
    return {"name": "p4d", "nodes": nodes, "template": "lt-1", "template_version": 1,
            "launch": [{"subnet": "subnet-a", "zone": "us-east-1a"}]}


def simulated_slurm(build, world, conf):
    """The room `slurm` of a configuration whose helpers are the simulated ones."""
    sim = str(build / "bin" / "rc-slurm-sim")
    args = ["--world", world.slurm_socket]
    return {"conf": str(conf),
            "reader": {"program": sim, "args": ["--role", "reader", *args]},
            "writer": {"program": sim, "args": ["--role", "writer", *args]},
            "registrar": {"program": str(build / "bin" / "rc-registrar")}}


def wait(check, what, seconds=START_S, every=0.02):
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(every)


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
