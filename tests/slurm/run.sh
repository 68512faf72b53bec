#!/bin/bash
# Runs the Slurm integration test, or a command, in a world of its own.
#
#   tests/slurm/run.sh [--root DIR] [check words…]
#   tests/slurm/run.sh [--root DIR] --shell COMMAND…
#
# RC_BIN and RC_TEST_BUILD name the programs and the test build (default: build/).
# New PID, network, mount, UTS and IPC namespaces: when the first process in there
# ends, even by kill -9, the kernel ends all the others, and the folder (a tmpfs that
# only they can see) is gone. Nothing outside is touched. --root: another Debian root,
# that is another Slurm release, with the project mounted in; RC_BIN and RC_TEST_BUILD
# are then folders of that root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
root=
if [ "${1:-}" = --root ]; then
  root=$2
  shift 2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "ok - slurm # SKIP network namespaces need root"
  exit 0
fi
export RC_BIN=${RC_BIN:-$top/build/bin} RC_TEST_BUILD=${RC_TEST_BUILD:-$top/build}
for tool in /usr/sbin/munged /usr/sbin/slurmctld /usr/sbin/slurmd "$RC_BIN/rc-slurm-helper"; do
  if [ ! -x "$root$tool" ]; then
    echo "ok - slurm # SKIP $root$tool is not there"
    exit 0
  fi
done
export PYTHONDONTWRITEBYTECODE=1 RC_TOP=$top RC_ROOT=$root
exec unshare --pid --fork --kill-child=KILL --net --uts --ipc --mount --propagation private \
  --mount-proc bash "$here/inside.sh" "$@"
