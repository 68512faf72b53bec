#!/bin/bash
# Random schedules: they hold, they are the same each time, and another compiler
# builds the same bytes.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
exec python3 tests/simulation/check_seeds.py
