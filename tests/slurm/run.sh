#!/bin/bash
# Runs the Slurm integration test, or a command, in a world of its own.
#
#   tests/slurm/run.sh [--build DIR] [--root DIR] [test options]
#   tests/slurm/run.sh [--build DIR] --shell COMMAND...
#
# New PID, network, mount, UTS and IPC namespaces: when the first process in there
# ends, even by kill -9, the kernel ends all the others, and the folder (a tmpfs that
# only they can see) is gone. Nothing outside is touched. --root: another Debian root
# (its Slurm release) with the project and the build folder mounted in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$top/build
root=
while [ $# -gt 0 ]; do
  case $1 in
  --build) build=$2; shift 2 ;;
  --root) root=$2; shift 2 ;;
  *) break ;;
  esac
done
if [ "$(id -u)" -ne 0 ]; then
  echo "ok - slurm: skipped, namespaces need root # SKIP"
  exit 0
fi
for tool in munged slurmctld slurmd scontrol; do
  if [ -z "$root" ] && ! command -v $tool >/dev/null; then
    echo "ok - slurm: skipped, $tool is not installed # SKIP"
    exit 0
  fi
done
export PYTHONDONTWRITEBYTECODE=1 RC_BUILD=$build RC_TOP=$top RC_ROOT=$root
exec unshare --pid --fork --kill-child=KILL --net --uts --ipc --mount --propagation private --mount-proc \
  bash "$here/inside.sh" "$@"
