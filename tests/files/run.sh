#!/bin/bash
# rc-registrar and nodewatch admit against a real slurmctld, in namespaces of their own.
# Needs root; everything ends with the process namespace, also after a crash.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" || exit
if [ "$(id -u)" -ne 0 ] || ! unshare --net --mount --uts --pid --fork true 2>/dev/null; then
    echo "ok - files: addresses reach a real slurmctld # SKIP namespaces need root"
    exit 0
fi
for program in slurmctld scontrol munged ip; do
    if ! command -v "$program" >/dev/null; then
        echo "ok - files: addresses reach a real slurmctld # SKIP no $program"
        exit 0
    fi
done
export RC_BIN="${RC_BIN:-$PWD/../../build/bin}"
exec unshare --net --mount --uts --pid --fork --kill-child --mount-proc bash world.sh
