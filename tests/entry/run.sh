#!/bin/bash
# The entry script and the counting of results, checked from outside.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
exec python3 tests/entry/check_entry.py
