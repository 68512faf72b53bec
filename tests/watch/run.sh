#!/bin/bash
# nodewatch watch against a real slurmctld, with a kernel log of its own. Needs root. RC_SLURM_ROOT:
# another Debian root, that is another Slurm release (tests/slurm/trixie.sh).
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
export PYTHONPATH=$top/tests/slurm
exec bash "$top/tests/slurm/run.sh" ${RC_SLURM_ROOT:+--root "$RC_SLURM_ROOT"} --shell python3 "$top/tests/watch/watch_test.py" "$@"
