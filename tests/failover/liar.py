"""Somebody who speaks the link between the two daemons (peer_wire.h), with the key or without,
and does not keep to it."""
import hmac
import secrets
import socket

MAC_LEN = 64


def mac(key, text):
    return hmac.new(key, text.encode(), "sha256").hexdigest()


class Liar:
    """Calls the daemon at addr; what it is told first is in .hello."""

    def __init__(self, addr, port, key):
        self.key = key
        self.socket = socket.create_connection((addr, port), timeout=5)
        self.lines = self.socket.makefile("r", encoding="ascii", newline="\n")
        self.hello = self.line()
        self.count = 0
        self.session = None

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.lines.close()
        self.socket.close()

    def line(self):
        return self.lines.readline().rstrip("\n")

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def greet(self, cluster, host, version=1):
        """The daemon's answer: "ok <mac>", or "no <why>"."""
        text = f"rc-peer {version} {cluster} {host} {secrets.token_hex(16)}"
        both = f"{self.hello}\n{text}\n"
        self.send(f"{text} {mac(self.key, 'client' + chr(10) + both)}")
        self.session = mac(self.key, f"session\n{both}").encode()
        return self.line()

    def ask(self, words):
        """A sealed request; the line that answers it, without its seal."""
        text = f"1 {words}"
        self.send(f"{mac(self.session, f'c {self.count} {text}')} {text}")
        self.count += 1
        while True:
            got = self.line()[MAC_LEN + 1:]
            if not got or got.startswith("1 ok") or got.startswith("1 err"):
                return got
