"""What a test world owns, written down, so that it always goes away again.

A world notes each process (id and start time) and each network namespace in its
folder before it uses them. sweep() ends and removes all of it. A process is ended
only if its id still belongs to the one that was started: the number and the start
time are compared after a pidfd holds it, so that no other can take its place.

A reaper (this module as a program) waits for the world's owner to end, however it
ends, and then sweeps; a world that was closed has nothing left for it to do.
"""
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
NOTES = "lifeline"
GRACE_S = 5.0


def start_time(pid):
    """Field 22 of proc(5)'s stat: with the id, it names a process for ever. 0 = gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])


def wait_end(fd, seconds):
    return bool(select.select([fd], [], [], seconds)[0])


def end_process(pid, started, grace_s=GRACE_S):
    """SIGTERM, then SIGKILL; nothing if the id is no longer the same process's."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if start_time(pid) != started:
            return
        for number in ([signal.SIGTERM] if grace_s else []) + [signal.SIGKILL]:
            signal.pidfd_send_signal(fd, number)
            if wait_end(fd, grace_s or GRACE_S):
                return
    except ProcessLookupError:
        pass
    finally:
        os.close(fd)


class Lifeline:
    """The notes of one world, and the reaper that watches over its owner."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.children = []
        (self.folder / NOTES).touch()
        owner = os.getpid()
        self.reaper = subprocess.Popen(
            [sys.executable, "-m", "tests.real.lifeline", str(folder), str(owner),
             str(start_time(owner))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)

    def note(self, *words):
        with open(self.folder / NOTES, "a", encoding="ascii") as notes:
            notes.write(" ".join(map(str, words)) + "\n")

    def spawn(self, command, at_once=False, **options):
        """Starts a process of the world in a session of its own. at_once: it is killed when the
        world ends, without the time to end in an orderly way: an instance, which knows no such
        thing, or what keeps nothing."""
        child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL,
                                 start_new_session=True, **options)
        self.note("at-once" if at_once else "process", child.pid, start_time(child.pid))
        self.children.append(child)
        return child

    def add_namespace(self, name):
        self.note("namespace", name)
        run("ip", "netns", "add", name)

    def mount_tmpfs(self, path, size):
        """A file system of its own, which can be full."""
        self.note("mount", path)
        run("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path)

    def close(self):
        sweep(self.folder)
        for child in self.children:
            child.wait()
        end_process(self.reaper.pid, start_time(self.reaper.pid), 0)
        self.reaper.wait()


def run(*command, check=True, **options):
    """Runs a short command; its words are in the error if it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False,
                          stdin=None if "input" in options else subprocess.DEVNULL, **options)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout}")
    return done


def enter_namespace(name):
    """Moves this whole process; to be called before it has threads."""
    with open(f"/run/netns/{name}", encoding="ascii") as handle:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")


def add_bridge(name, *addresses):
    """In this namespace, with a MAC address of its own. Else it has that of a port: when the machine
    behind that one dies, it changes, and for up to 20 s the others send to the old one."""
    run("ip", "link", "add", name, "address", "02:00:00:00:00:01", "type", "bridge")
    for address in addresses:
        run("ip", "addr", "add", address, "dev", name)
    run("ip", "link", "set", name, "up")


def remove_group(path):
    """Control groups are removed from the leaves up, and only when nothing runs in them."""
    for folder, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            pass


def sweep(folder):
    """Ends and removes what the notes name, newest first, then the folder."""
    notes = Path(folder) / NOTES
    if not notes.exists():
        return
    rows = [line.split() for line in notes.read_text(encoding="ascii").splitlines()]
    for row in reversed(rows):
        if row[0] in ("process", "at-once"):
            end_process(int(row[1]), int(row[2]), GRACE_S if row[0] == "process" else 0)
        elif row[0] == "namespace":
            run("ip", "netns", "del", row[1], check=False)
        elif row[0] == "mount":
            run("umount", "--lazy", row[1], check=False)
        elif row[0] == "loop":
            run("losetup", "--detach", row[1], check=False)
        elif row[0] == "control-group":
            remove_group(row[1])
    shutil.rmtree(folder, ignore_errors=True)


def reap(folder, owner, started):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        fd = os.pidfd_open(owner)
        if start_time(owner) == started:
            while not wait_end(fd, 3600):
                pass
    except ProcessLookupError:
        pass
    time.sleep(0.2)
    sweep(folder)


if __name__ == "__main__":
    reap(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
