#!/bin/bash
# First process of the test world (see run.sh): mounts the folder, then runs the test.
set -euo pipefail
hostname ctl
# The folder has the same name in every world; each world sees its own.
world=/run/rc-slurm
if [ -n "$RC_ROOT" ]; then
  mount --bind "$RC_ROOT" "$RC_ROOT"
  for dir in "$RC_TOP" "$RC_BUILD" /proc /dev /sys; do
    mkdir -p "$RC_ROOT$dir"
    mount --rbind "$dir" "$RC_ROOT$dir"
  done
  mount -t tmpfs none "$RC_ROOT/run"
  mkdir "$RC_ROOT$world"
  run() { chroot "$RC_ROOT" /usr/bin/env --chdir="$RC_TOP" "$@"; }
else
  mount -t tmpfs -o mode=755 none /run
  mkdir "$world"
  run() { env --chdir="$RC_TOP" "$@"; }
fi
if [ "${1:-}" = --shell ]; then
  shift
  run RC_WORLD=$world "$@"
else
  run RC_WORLD=$world python3 "$RC_TOP/tests/slurm/slurm_test.py" "$@"
fi
