#!/bin/bash
# simulate sweep as a job array on a real slurmctld with two slurmds, in the world of
# tests/slurm (own namespaces, gone when it ends).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH=$here/../slurm
exec "$here/../slurm/run.sh" --shell python3 "$here/sweep_on_slurm.py"
