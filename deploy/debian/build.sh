#!/bin/bash
# build.sh [FOLDER]: builds slurm-on-aws-controller and slurm-on-aws-node for this system's release
# into FOLDER (default build/packages). Needs dpkg-dev debhelper cmake and the build's libraries;
# the packages fit the Slurm release of the system that builds them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$(mkdir -p "${1:-$root/build/packages}" && cd "${1:-$root/build/packages}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/slurm-on-aws"
git -C "$root" ls-files -z | (cd "$root" && tar --null -T - -cf -) | tar -xf - -C "$work/slurm-on-aws"
cp -r "$root/deploy/debian/debian" "$work/slurm-on-aws/debian"
(cd "$work/slurm-on-aws" && dpkg-buildpackage -us -uc -b -d >"$out/build.log" 2>&1) || {
    tail -n 40 "$out/build.log" >&2
    exit 1
}
cp "$work"/*.deb "$out/"
ls "$out"/*.deb
