#!/bin/bash
# Two daemons on one cluster: take-over, hand-over, a lease out of reach, rubbish in the table; and
# the helper that lays hand on slurmctld.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
python3 -m tests.pair.check_hand
hand=$?
python3 -m tests.pair.check_pair && exit "$hand"
