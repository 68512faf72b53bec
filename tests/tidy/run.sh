#!/bin/bash
# All tidy tests; each prints its own result lines.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
status=0
for part in rules purity compilers lint; do
    python3 "tests/tidy/$part.py" || status=1
done
exit "$status"
