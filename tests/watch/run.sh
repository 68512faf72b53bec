#!/bin/bash
# nodewatch watch against a real slurmctld, with a kernel log of its own. Needs root.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
export PYTHONPATH=$top/tests/slurm
exec bash "$top/tests/slurm/run.sh" --shell python3 "$top/tests/watch/watch_test.py" "$@"
