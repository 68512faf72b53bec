"""Two reconcilerd against one rc-world: lease and items in its DynamoDB, a proxy between
each controller and that table which can be shut."""
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from simulator.demo import policy
from simulator.demo.backend_sim import CLUSTER, REGION, SimBackend

BIN = Path(os.environ.get("RC_BIN", "build/bin")).absolute()
TERM_S, MARGIN_S, REQUEST_S = 3.0, 0.5, 1.0


class Failed(Exception):
    """Something did not become true in time."""


def wait(condition, what, seconds=20.0, every=0.03):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(every)


class Proxy:
    """TCP to the world's port. open: passes on; shut: what is there is cut, nothing new comes in;
    deaf: takes everything, answers nothing."""

    def __init__(self, port):
        self.to, self.mode, self.pairs = port, "open", []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.mode == "shut":
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.to))
            self.pairs.append((near, far))
            threading.Thread(target=self.carry, args=(near, far), daemon=True).start()

    def carry(self, near, far):
        try:
            while True:
                for end in select.select([near, far], [], [], 1)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if self.mode == "open":
                        (far if end is near else near).sendall(data)
        except OSError:
            pass
        finally:
            near.close()
            far.close()

    def set(self, mode):
        self.mode = mode
        if mode != "open":
            for pair in self.pairs:
                for end in pair:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            self.pairs = []

    def close(self):
        self.set("shut")
        self.listener.close()


class Controller:
    def __init__(self, pair, name):
        self.pair, self.name = pair, name
        self.folder = pair.backend.home / name
        self.proxy = Proxy(int(pair.backend.ready["endpoint"].rpartition(":")[2]))
        self.process = None
        self.timeouts, self.limits = {}, {}  # of the policy, other than the demo's

    def config(self, **lease):
        config = self.pair.backend.config()
        config.update({
            "policy": str(self.folder / "policy.json"), "state_dir": str(self.folder),
            "journal": {"dir": str(self.folder / "journal")},
            "lease": {"kind": "dynamodb", "table": "lease", "owner": self.name,
                      "term": f"{TERM_S:.0f}s", "margin": f"{MARGIN_S * 1000:.0f}ms", **lease},
            "incidents": {"kind": "dynamodb", "table": "incidents"},
            "poll": {"instances": "2s", "status": "2s", "slurm": "500ms", "slurm_open": "200ms"},
            "control": {"socket": str(self.folder / "control.sock"), "mode": "0600"},
            "metrics": {"listen": "", "cloudwatch": "slurm-on-aws"},
            "log": {"file": str(self.folder / "log"), "level": "info"}})
        config["cluster"]["nodes_max"] = 64
        config["aws"]["request_timeout"] = f"{REQUEST_S:.0f}s"
        config["aws"]["endpoints"] = {"dynamodb": self.proxy.url}
        config["queue"]["wait"] = "1s"
        config["queue"]["quarantine"] = str(self.folder / "quarantine.jsonl")
        return config

    def start(self, environment=None, **lease):
        self.folder.mkdir(exist_ok=True)
        policy.write(self.folder / "policy.json", ssh=False)
        rules = json.loads((self.folder / "policy.json").read_text(encoding="utf-8"))
        rules["timeouts"].update(self.timeouts)
        rules["limits"].update(self.limits)
        (self.folder / "policy.json").write_text(json.dumps(rules), encoding="utf-8")
        path = self.folder / "reconcilerd.json"
        path.write_text(json.dumps(self.config(**lease), indent=1), encoding="utf-8")
        with open(self.folder / "err", "ab") as err:
            self.process = self.pair.backend.spawn(
                [BIN / "reconcilerd", "--config", path],
                env={**os.environ, **self.pair.backend.env(), **(environment or {})}, stdout=err, stderr=err)
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=15):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def forget(self):
        """An empty journal, as on a new machine."""
        shutil.rmtree(self.folder / "journal", ignore_errors=True)

    def ctl(self, *words):
        done = subprocess.run([BIN / "reconcilectl", "--socket", self.folder / "control.sock",
                               *words], capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    def status(self):
        """None while it does not answer."""
        code, out, _ = self.ctl("--json", "status")
        return json.loads(out) if code == 0 else None

    def leads(self):
        status = self.status()
        return bool(status and status["lease"]["held"])

    def log(self):
        rows = []
        for line in (self.folder / "log").read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        return rows

    def words(self):
        said = "".join((self.folder / name).read_text(encoding="utf-8", errors="replace")[-1500:]
                       for name in ("err", "log") if (self.folder / name).exists())
        return f"{self.name}: {said}"


class Pair:
    def __init__(self):
        self.backend = SimBackend()
        self.backend.open()
        self.a, self.b = Controller(self, "head-1"), Controller(self, "head-2")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for controller in (self.a, self.b):
            controller.stop()
            controller.proxy.close()
        self.backend.close()

    def both(self):
        return self.a, self.b

    def leader(self, seconds=20):
        return wait(lambda: next((c for c in self.both() if c.process and c.process.poll() is None
                                  and c.leads()), None), "somebody leads", seconds)

    def other(self, controller):
        return self.b if controller is self.a else self.a

    def ask(self, what, body=None):
        return self.backend.ask(what, body)

    def table(self, name):
        return self.ask(f"table?name={name}")

    def put_item(self, table, item):
        self.ask("item", {"table": table, "item": item})

    def changes(self):
        """What was asked of EC2 that changes it, in order."""
        return [r for r in self.ask("requests") if r["service"] == "ec2"
                and not r["action"].startswith("Describe") and r["action"] != "GetConsoleOutput"]

    def messages_sent(self):
        return len(self.ask("messages"))

    def job_state(self, job):
        return self.backend.look(job)[2].state

    def healthy(self):
        """Every node serves, nothing is open."""
        nodes, _, _ = self.backend.look(0)
        return all(n.in_service for n in nodes.values())


def http_text(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


__all__ = ["BIN", "CLUSTER", "REGION", "MARGIN_S", "REQUEST_S", "TERM_S", "Failed", "Pair", "wait"]
