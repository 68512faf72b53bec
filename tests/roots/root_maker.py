"""Follows the emulator's instances and gives each a booted root, as tests/real/machines.py does
with namespaces: a pending one gets a clone of the plain tree with its own user data, which
cloud-init runs; one that stops or ends loses its power.
"""
import json
import threading
import time
import urllib.request

CONTROL = "http://127.0.0.1:5001"
LOOK_S = 0.3


def ask(verb, **asked):
    request = urllib.request.Request(f"{CONTROL}/{verb}", json.dumps(asked).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


class RootMaker(threading.Thread):
    def __init__(self, cluster, by_hand):
        """by_hand: instance id -> root, for those that are running already."""
        super().__init__(name="root-maker", daemon=True)
        self.cluster, self.bodies = cluster, dict(by_hand)
        self.consoles = {}  # instance id -> what it has printed
        self.failure, self.stopped = None, threading.Event()

    def run(self):
        try:
            while not self.stopped.wait(LOOK_S):
                for instance in ask("instances")["instances"]:
                    self.follow(instance)
        except Exception as error:  # kept for the owner, who asks with check()
            if not self.stopped.is_set():
                self.failure = error

    def check(self):
        if self.failure:
            raise RuntimeError(f"root-maker: {self.failure}") from self.failure

    def stop(self):
        self.stopped.set()
        self.join()

    def follow(self, instance):
        root, state = self.bodies.get(instance["id"]), instance["state"]
        if state == "pending":
            if root is None:
                root = self.bodies[instance["id"]] = self.cluster.fresh_root(instance)
            if not root.leader:
                root.power_on()
            ask("machine", id=instance["id"], state="running", console=console(root))
        elif state == "running" and root and root.leader:
            self.follow_console(instance["id"], root)
        elif state in ("stopping", "shutting-down"):
            if root and root.leader:
                root.power_off()
            ask("machine", id=instance["id"], state="stopped" if state == "stopping" else "terminated")


    def follow_console(self, name, root):
        """cloud-init makes the host keys anew at a first boot, and prints them then."""
        text = console(root)
        if text != self.consoles.get(name):
            self.consoles[name] = text
            ask("machine", id=name, console=text)


def console(root):
    """What cloud-init prints of the host keys, from which the daemon pins them."""
    paths = [root.tree / f"etc/ssh/ssh_host_{kind}_key.pub" for kind in ("ecdsa", "ed25519", "rsa")]
    keys = [path.read_text().strip() for path in paths if path.exists()]
    return "\n".join(["-----BEGIN SSH HOST KEY KEYS-----", *keys, "-----END SSH HOST KEY KEYS-----", ""])


def seen(seconds, condition):
    """Waits for a condition, in a way that a slow machine does not spoil."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(1)
    return False
