"""nodewatch watch against a real slurmctld: one line a check. Words on the command line choose."""

import sys
import traceback

from slurm_world import World
from watch_log import LogChecks
from watch_probes import ProbeChecks
from watch_reason import ReasonChecks
from watch_restart import RestartChecks


def main():
    world = World(live=2)
    only, failed = sys.argv[1:], 0
    for room in (LogChecks, ReasonChecks, RestartChecks, ProbeChecks):
        for name in [n for n in vars(room) if n.startswith("check_")]:
            if only and not any(word in name for word in only):
                continue
            words = name.removeprefix("check_").replace("_", " ")
            try:
                getattr(room(world), name)()
                print(f"ok - watch: {words}", flush=True)
            except Exception:  # any failure is a failed check; the next ones still run
                failed += 1
                print(f"not ok - watch: {words}", flush=True)
                print("".join(f"#   {line}\n" for line in traceback.format_exc().splitlines()), flush=True)
    sys.exit(1 if failed else 0)


main()
