#!/bin/bash
# The world of real parts, checked on its own. Needs root (network namespaces).
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
if [ "$(id -u)" -ne 0 ]; then
    echo "ok - real world # SKIP network namespaces need root"
    exit 0
fi
exec python3 -m tests.real.check_world
