"""The demo's command line. As a program it only checks it (status 2 when wrong)."""
import argparse
import os
from pathlib import Path

# What AWS tells of, and what the agent on a node does.
AWS_FAULTS = ("terminate", "spot", "retirement", "status-check", "capacity", "rebalance")
NODE_FAULTS = ("xid79", "aer-fatal", "efa-down", "fs-hang", "job-storm", "row-remap")
# The same faults as stories on the core alone.
STORIES = {"xid79": "gpu-lost-during-a-job", "aer-fatal": "one-break-shows-in-many-places",
           "efa-down": "efa-errors-by-rate", "fs-hang": "file-server-is-ill",
           "job-storm": "same-job-on-eighty-nodes", "row-remap": "row-remap-waits-for-the-job"}
# Of the primary of two controllers.
CONTROLLER_FAULTS = ("controller-killed", "controller-hung", "controller-host",
                     "controller-partition")
FAULTS = AWS_FAULTS + NODE_FAULTS


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="./run demo", description="One fault, from the message that tells of it to the job "
        "that runs afterwards. Exit status: 0 the story ended as it should, 1 it did not, "
        "2 usage, 3 set-up failed.")
    parser.add_argument("--fault", choices=FAULTS + CONTROLLER_FAULTS, default="terminate",
                        help="what happens, to a node or to the primary controller "
                        "(default: %(default)s)")
    parser.add_argument("--real", action="store_true",
                        help="real slurmctld, slurmd, munge and sshd, and moto's EC2; needs root")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object on stdout, everything else on stderr")
    parser.add_argument("--malformed-first", action="store_true",
                        help="put a message that cannot be read before the fault")
    parser.add_argument("--replay-message", action="store_true",
                        help="put the fault's message into the queue again after the repair")
    parser.add_argument("--keep", metavar="DIR", type=caller_path,
                        help="leave configuration, logs, DIR/journal and DIR/messages.jsonl")
    options = parser.parse_args(words)
    if options.fault in NODE_FAULTS and not options.real:
        parser.error(f"--fault {options.fault} needs --real, as root: an agent on a node has to see it. "
                     "What the same core decides about it, line by line: "
                     f"simulator/incidents/{STORIES[options.fault]}/expected.txt")
    if options.fault in NODE_FAULTS and (options.malformed_first or options.replay_message):
        parser.error(f"{options.fault} comes from the node itself: there is no message to repeat or precede")
    if options.fault in CONTROLLER_FAULTS and not options.real:
        parser.error(f"--fault {options.fault} needs two real controllers: add --real")
    return options


def caller_path(text):
    """Paths are relative to where the user stands, which ./run has left."""
    return Path(os.environ.get("RC_CWD", ".")).joinpath(text).absolute()


if __name__ == "__main__":
    parse()
