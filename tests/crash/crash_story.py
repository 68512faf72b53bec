"""One repair on rc-world with DynamoDB, in which the daemon may be killed; and what must be
true at its end, whatever happened on the way."""
import collections
import os
import time
from pathlib import Path

from tests.pair.pair_world import Failed, Pair, wait

TEST_BUILD = Path(os.environ.get("RC_TEST_BUILD", "build/test")).absolute()
SHIM = TEST_BUILD / "tests" / "libcrash_shim.so"
QUICK = {"launch_ms": 200, "boot_ms": 300, "terminate_ms": 200, "stop_ms": 200}


def duplicates(changes):
    done = [r for r in changes if not r["code"]]
    launched, ended = set(), collections.Counter()
    for row in done:
        if row["action"] == "RunInstances":
            launched.update(row["instances"])
        elif row["action"] in ("StopInstances", "RebootInstances"):
            ended.update(row["instances"])
        elif row["action"] == "TerminateInstances":
            ended.update(row["instances"])
    return launched, [i for i, n in ended.items() if n > 1]


class Story:
    """fault: terminate (its host is gone: replaced) or status-check (drained, replaced, ended)."""

    def __init__(self, fault):
        self.pair = Pair()
        self.pair.ask("delays", QUICK)
        self.fault, self.node, self.job = fault, "gpu-2", None

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.pair.__exit__(*what)

    def begin(self, controller):
        """The daemon leads, a job runs on the node, and the node breaks."""
        wait(controller.leads, "it leads", 30)
        self.begin_fault()

    def begin_fault(self):
        self.job = self.pair.backend.submit(3, self.node)
        wait(lambda: self.pair.job_state(self.job) == "RUNNING", "the job runs")
        self.pair.backend.inject(self.fault, self.node)

    def settled(self):
        ours = [r for r in self.pair.table("incidents") if r["sk"]["S"].startswith("incident-")]
        return (not ours and self.pair.job_state(self.job) == "COMPLETED" and self.pair.healthy()
                and self.pair.backend.queue_empty() and self.pair.changes())

    def end(self):
        """"" or what is wrong with the world at the end."""
        try:
            wait(self.settled, "repaired, the job done, nothing open, the queue empty", 60, 0.1)
        except Failed as why:
            state = self.pair.ask("state")
            return f"{why}\n{self.pair.table('incidents')}\n{state['nodes']}\n{self.words()}"
        time.sleep(0.3)
        launched, twice = duplicates(self.pair.changes())
        _, instances, _ = self.pair.backend.look(self.job)
        running = [i for i in instances.values() if i.state == "running"]
        if len(launched) != 1 or twice or len(running) != 3:
            return (f"launched {launched}, twice {twice}, running {running}\n"
                    f"{self.pair.changes()}\n{self.words()}")
        return ""

    def words(self):
        return "\n".join(c.words() for c in self.pair.both() if c.folder.exists())


def shim(controller, at=None):
    """The environment of a daemon whose journal the shim watches."""
    folder = controller.folder / "shim"
    folder.mkdir(parents=True, exist_ok=True)
    more = {"LD_PRELOAD": str(SHIM), "RC_CRASH_DIR": str(folder)}
    if at:
        more["RC_CRASH_AT"] = at
    return more
