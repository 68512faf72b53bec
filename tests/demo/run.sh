#!/bin/bash
# The demo's stories, each against its world, as a user would run them.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
exec python3 tests/demo/check_demo.py
