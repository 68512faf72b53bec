#!/bin/bash
# One planted bug for each invariant: its own checker must find it.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
exec python3 tests/mutants/check_mutants.py
