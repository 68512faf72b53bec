#!/bin/bash
# Checks rc-world with boto3 as its client, and rc-slurm-sim on its lines.
#
#   tests/endpoint/run.sh
#
# RC_BIN names the folder of the programs (default: build/bin). boto3 is installed, once,
# into a Python environment under RC_CACHE; without a network the checks are skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${RC_BIN:-$here/../../build/bin}
venv=${RC_CACHE:-$HOME/.cache/slurm-on-aws}/venv-boto

if [ ! -x "$bin/rc-world" ]; then
    echo "not ok - endpoint: $bin/rc-world is there"
    exit 1
fi
status=0
moto=${RC_MOTO_PYTHON:-${RC_CACHE:-$HOME/.cache/slurm-on-aws}/moto-5.2.5/bin/python}
if [ -x "$moto" ]; then
    "$moto" "$here/dynamo_check.py" "$bin/rc-world" || status=1
else
    echo "ok - endpoint: dynamodb # SKIP moto is not installed"
fi
python3 "$here/slurm_sim_check.py" "$bin" || status=1
if ! "$venv/bin/python" -c 'import boto3' 2>/dev/null; then
    mkdir -p "$venv"
    if ! { python3 -m venv --clear "$venv" && "$venv/bin/pip" install -q boto3==1.44.5; } >&2; then
        echo "ok - endpoint: boto3 is the client # SKIP boto3 cannot be installed"
        exit "$status"
    fi
fi
"$venv/bin/python" "$here/endpoint_check.py" "$bin/rc-world" || status=1
exit "$status"
