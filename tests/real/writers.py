"""Who writes into slurmctld's state directory, seen from outside.

The kernel tells (fanotify(7)) which process closed a file there that it had open for
writing; the process's network namespace says which controller it is on. A process is a
writer from its first such write to its last one. Two controllers whose spans meet are two
writers: the thing that must never happen.
"""
import ctypes
import os
import struct
import threading
import time
from pathlib import Path

FAN_CLOEXEC, FAN_CLASS_NOTIF, FAN_NONBLOCK = 0x1, 0x0, 0x2
FAN_MARK_ADD, FAN_CLOSE_WRITE, FAN_EVENT_ON_CHILD = 0x1, 0x8, 0x08000000
AT_FDCWD = -100
EVENT = struct.Struct("=IBBHqii")


class Writers(threading.Thread):
    """host_of(pid) names the controller that a process is on, None = none of them."""

    def __init__(self, folder, host_of):
        super().__init__(name="writers", daemon=True)
        self.host_of = host_of
        self.spans = {}  # (host, pid) -> [first, last]
        self.hosts = {}
        self.ended = threading.Event()
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, os.O_RDONLY)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "fanotify_init")
        if libc.fanotify_mark(self.fd, FAN_MARK_ADD, ctypes.c_uint64(
                FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD), AT_FDCWD, str(folder).encode()) < 0:
            raise OSError(ctypes.get_errno(), f"fanotify_mark {folder}")

    def run(self):
        while not self.ended.wait(0.02):
            try:
                self.take(os.read(self.fd, 65536))
            except BlockingIOError:
                continue

    def take(self, data):
        at = 0
        while at + EVENT.size <= len(data):
            size, _, _, _, _, fd, pid = EVENT.unpack_from(data, at)
            at += size
            if fd >= 0:
                name = os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))
                os.close(fd)
                self.note(pid, name)

    def note(self, pid, name):
        if name.startswith(".rc-probe.") or name == "clustername":
            return  # the daemon's own test; what every slurmctld writes once when it starts
        if pid not in self.hosts:
            self.hosts[pid] = self.host_of(pid)
        if self.hosts[pid] is None:
            return
        now = time.monotonic()
        if os.environ.get("RC_SHOW_WRITERS"):
            print(f"{now:.2f} {self.hosts[pid]} {pid} {name}", flush=True)
        self.spans.setdefault((self.hosts[pid], pid), [now, now])[1] = now

    def stop(self):
        self.ended.set()
        self.join()
        os.close(self.fd)

    def most(self):
        """The largest number of controllers that wrote at the same time."""
        spans = [(host, first, last) for (host, _), (first, last) in self.spans.items()]
        return max((len({h for h, first, last in spans if first <= at <= last})
                    for _, start, end in spans for at in (start, end)), default=0)


def namespace_of(pid):
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return None


def namespace_named(name):
    return Path(f"/run/netns/{name}").stat().st_ino
