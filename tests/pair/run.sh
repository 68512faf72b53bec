#!/bin/bash
# Two daemons on one cluster: take-over, hand-over, a lease out of reach, rubbish in the table; and
# the helper that lays hand on slurmctld.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
status=0
for part in check_hand check_pair check_bad_table; do
    python3 -m "tests.pair.$part" || status=1
done
exit "$status"
