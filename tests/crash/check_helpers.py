"""kill -9 of the daemon's helpers, again and again, while it repairs."""
import os
import signal
import sys
import threading
import time
from pathlib import Path

from tests.crash.check_boundaries import FAULTS, tell
from tests.crash.crash_story import Story

EVERY_S = 0.17


def children(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(p) for p in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def kill_helpers(process, stop, killed):
    """Each in turn: reader, writer, registrar, and what keeps the disk in order."""
    turn = 0
    while not stop.wait(EVERY_S) and process.poll() is None:
        helpers = sorted(children(process.pid))
        if helpers:
            try:
                os.kill(helpers[turn % len(helpers)], signal.SIGKILL)
                killed.append(1)
            except ProcessLookupError:
                pass
            turn += 1


def main():
    failed = 0
    for fault in FAULTS:
        with Story(fault) as story:
            controller, stop, killed = story.pair.a, threading.Event(), []
            controller.start()
            story.begin(controller)
            killer = threading.Thread(target=kill_helpers, args=(controller.process, stop, killed))
            killer.start()
            time.sleep(6)
            stop.set()
            killer.join()
            why = story.end()
            if controller.process.poll() is not None:
                why = f"the daemon ended\n{why}"
            failed += tell(not why, f"{fault}: its helpers killed {len(killed)} times: the same "
                           "world, nothing twice", why)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
