#!/bin/bash
# The daemon is killed with -9 again and again while it repairs, at drawn times and at every
# append of its journal; its journal is cut; its disk is full; its helpers die. Each story must
# end as if nothing had happened, with one launch. RC_TEST_BUILD names the build with the shim.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
export RC_TEST_BUILD=${RC_TEST_BUILD:-$PWD/build/test}
status=0
for part in check_crash check_boundaries check_journal check_helpers check_pair_kills; do
    python3 -m "tests.crash.$part" || status=1
done
exit "$status"
