#!/bin/bash
# First process of the test world (see run.sh): mounts the folder, then runs the test.
set -euo pipefail
hostname ctl
# The folder has the same name in every world; each world sees its own.
world=/run/rc-slurm
mount -t tmpfs -o mode=755 none "$RC_ROOT/run"
mkdir "$RC_ROOT$world"
inside=(env --chdir="$RC_TOP" "RC_WORLD=$world")
if [ -n "$RC_ROOT" ]; then
  for dir in "$RC_TOP" /proc /dev /sys; do
    mkdir -p "$RC_ROOT$dir"
    mount --rbind "$dir" "$RC_ROOT$dir"
  done
  inside=(chroot "$RC_ROOT" "${inside[@]}")
fi
# No exec: this shell is the init of the PID namespace and reaps what daemons leave.
if [ "${1:-}" = --shell ]; then
  shift
  "${inside[@]}" "$@"
  exit
fi
"${inside[@]}" python3 "$RC_TOP/tests/slurm/slurm_test.py" "$@"
exit
