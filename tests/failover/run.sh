#!/bin/bash
# The two controllers of real parts: every way in which one can be lost. Needs root.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
if [ "$(id -u)" -ne 0 ]; then
    echo "ok - fail-over # SKIP network namespaces need root"
    exit 0
fi
exec python3 -m tests.failover.check_failover "$@"
