#!/bin/bash
# Random schedules and large clusters: they hold, they are the same each time, and another
# compiler builds the same bytes. What was recorded is replayed.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
status=0
python3 tests/simulation/check_replay.py || status=1
python3 tests/simulation/check_journal.py || status=1
python3 tests/simulation/check_keys.py || status=1
python3 tests/simulation/check_prove.py || status=1
python3 tests/simulation/check_fleet.py || status=1
python3 tests/simulation/check_seeds.py || status=1
exit "$status"
