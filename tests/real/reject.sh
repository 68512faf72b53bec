#!/bin/sh
# What slurm-on-aws-reject@.service does, without systemd: reject.sh ADDRESS.
set -eu
ip route replace unreachable "$1"
setsid sh -c "sleep 5; ip route delete unreachable $1" </dev/null >/dev/null 2>&1 &
