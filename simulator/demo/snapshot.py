"""The world's truth at one moment, in one shape for both kinds of world."""
from dataclasses import dataclass, field

OUT = {"DRAIN", "DOWN", "FAIL"}


@dataclass
class Node:
    name: str
    state: set = field(default_factory=set)  # Slurm's words: IDLE, ALLOCATED, DRAIN, DOWN, …
    addr: str = ""
    reason: str = ""
    responding: bool = True

    @property
    def is_out(self):
        return bool(self.state & OUT)

    @property
    def in_service(self):
        return self.responding and not self.is_out and not self.state & {"UNKNOWN", "INVAL"}

    def words(self):
        return "+".join(sorted(self.state)) + ("" if self.responding else " (not responding)")


@dataclass
class Instance:
    id: str
    state: str
    addr: str
    node: str
    subnet: str = ""
    born_here: bool = False  # launched after the story began: by the daemon, nobody else launches


@dataclass
class Job:
    id: int
    state: str
    node: str | None


@dataclass
class Snapshot:
    at_ms: int
    nodes: dict
    instances: dict
    job: Job | None

    def living(self, node):
        """Instances that hold or may come to hold this node's name."""
        return [i for i in self.instances.values()
                if i.node == node and i.state not in ("shutting-down", "terminated")]

    def launched(self):
        return [i for i in self.instances.values() if i.born_here]
