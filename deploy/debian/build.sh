#!/bin/bash
# build.sh [FOLDER]: builds slurm-on-aws-controller and slurm-on-aws-node for this system's release
# into FOLDER (default build/packages), in the place of older ones. Needs dpkg-dev debhelper cmake and
# the build's libraries; the packages fit the Slurm release of the system that builds them. The time
# of the commit is in their version: what is built from a later one is an upgrade.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$(mkdir -p "${1:-$root/build/packages}" && cd "${1:-$root/build/packages}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/slurm-on-aws"
git -C "$root" ls-files -z | (cd "$root" && tar --null -T - -cf -) | tar -xf - -C "$work/slurm-on-aws"
cp -r "$root/deploy/debian/debian" "$work/slurm-on-aws/debian"
when=$(git -C "$root" log -1 --format=%cd --date=format:%Y%m%d%H%M%S 2>/dev/null || true)
[ -z "$when" ] || sed -i "1s/(\([^)]*\))/(\1+$when)/" "$work/slurm-on-aws/debian/changelog"
(cd "$work/slurm-on-aws" && dpkg-buildpackage -us -uc -b -d >"$out/build.log" 2>&1) || {
    tail -n 40 "$out/build.log" >&2
    exit 1
}
rm -f "$out"/slurm-on-aws-*.deb
cp "$work"/*.deb "$out/"
ls "$out"/*.deb
