"""The emulators as processes of one test world: started on free ports, awaited,
and ended with the world (lifeline.py)."""
import json
import os
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

CACHE = Path(os.environ["RC_CACHE"])
START_S = 40


def free_port():
    """A port from 20000 on that nobody listens on at the moment."""
    for port in range(20000 + os.getpid() % 8000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in TAKEN:
            TAKEN.add(port)
            return port
    raise RuntimeError("no free port")


TAKEN = set()


def await_http(port, child, name):
    """Returns when the server answers anything at all."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and child.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{name} does not answer on port {port}")


class Servers:
    def __init__(self, world, folder):
        self.world, self.folder = world, Path(folder)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.environment["HOME"] = str(self.folder)

    def start(self, name, port, command, **environment):
        with open(self.folder / f"{name}-{port}.log", "wb") as log:
            child = self.world.spawn(command, stdout=log, stderr=log, cwd=self.folder,
                                     env={**self.environment, **environment})
        await_http(port, child, name)
        return f"http://127.0.0.1:{port}"

    def moto(self):
        port = free_port()
        return self.start("moto", port, [CACHE / "moto-5.2.5/bin/moto_server", "-H", "127.0.0.1",
                                         "-p", port])

    def moto_with_tokens(self):
        """moto with what EC2 does and moto does not: a ClientToken launches once."""
        port, script = free_port(), Path("tests/real/emulator.py").resolve()
        return self.start("emulator", port, [CACHE / "moto-5.2.5/bin/python", script, port,
                                             free_port()])

    def ministack(self):
        port = free_port()
        return self.start("ministack", port, [CACHE / "ministack-1.5.33/bin/ministack"],
                          AUTH="true", BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port),
                          SFTP_ENABLED="0", IOT_MTLS_ENABLED="0")

    def microburst(self, upstream):
        port = free_port()
        return Microburst(self.start("microburst", port,
                                     [CACHE / "microburst-0.10.0/bin/microburst", "-u", upstream,
                                      "-p", port, "--host", "127.0.0.1"]), upstream)

    def metadata(self, config=None):
        """ec2-metadata-mock; config changes its defaults."""
        port, path = free_port(), self.folder / f"metadata-{time.monotonic_ns()}.json"
        path.write_text(json.dumps(config or {}), encoding="ascii")
        return self.start("metadata", port, [CACHE / "bin/ec2-metadata-mock", "-n", "127.0.0.1",
                                             "-p", port, "-I", "-c", path])


class Microburst:
    """A proxy that breaks what its rules say. The client keeps the upstream's name
    and connects here instead, so that its signature stays right."""

    def __init__(self, url, upstream):
        self.url = url
        self.connect_to = f"{upstream.removeprefix('http://')}:{url.removeprefix('http://')}"

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method,
                                         data=json.dumps(body).encode() if body else None)
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.loads(reply.read() or b"null")

    def rules(self, *rules):
        self.ask("DELETE", "/_microburst/fired")
        self.ask("POST", "/_microburst/rules", list(rules))
