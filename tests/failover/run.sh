#!/bin/bash
# The two controllers of real parts: every way in which one can be lost, and the demo's stories of
# it. Needs root.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
if [ "$(id -u)" -ne 0 ]; then
    echo "ok - fail-over # SKIP network namespaces need root"
    exit 0
fi
python3 -m tests.failover.check_stories
stories=$?
python3 -m tests.failover.check_failover && exit "$stories"
