#!/bin/bash
# The daemon is killed with -9 again and again while it repairs; the story must end as if
# nothing had happened, with one launch, and its journal must replay to the same bytes.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
exec python3 tests/crash/check_crash.py
