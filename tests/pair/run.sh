#!/bin/bash
# Two daemons on one cluster: take-over, hand-over, a lease out of reach, rubbish in the table.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
exec python3 -m tests.pair.check_pair
