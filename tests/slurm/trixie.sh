#!/bin/bash
# The same helper, the same agent and the same checks on Debian 13's Slurm (24.11).
#
# Makes a Debian 13 root once (debootstrap, about 700 MB) under
# ${RC_CACHE:-$HOME/.cache/slurm-on-aws}/trixie, builds helper, agent and probe in it from this
# source, and runs tests/slurm/run.sh and tests/watch/run.sh on it. Words choose checks of both.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${RC_CACHE:-$HOME/.cache/slurm-on-aws}
root=$cache/trixie
packages=(gcc libc6-dev cmake ninja-build pkg-config python3 iproute2 munge slurmctld slurmd
  slurm-client libslurm-dev libevent-dev libcurl4-openssl-dev libssl-dev libexpat1-dev
  libcjson-dev libssh2-1-dev libcunit1-dev)

if [ "$(id -u)" -ne 0 ]; then
  echo "ok - trixie # SKIP a Debian root needs root"
  exit 0
fi
if ! command -v debootstrap >/dev/null; then
  echo "ok - trixie # SKIP debootstrap is not installed"
  exit 0
fi

# An interrupted try leaves no half-made root behind: it gets its name at the end.
make_root() {
  local new
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/trixie.XXXXXX")
  trap 'rm -rf --one-file-system "$new"' EXIT
  chmod 755 "$new"
  debootstrap --variant=minbase --include=ca-certificates trixie "$new"
  # Services must not start in there.
  printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
  chmod 755 "$new/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$new/etc/resolv.conf"
  DEBIAN_FRONTEND=noninteractive chroot "$new" apt-get install -y --no-install-recommends "${packages[@]}"
  mv "$new" "$root"
  trap - EXIT
}

if [ ! -x "$root/usr/sbin/slurmctld" ] || [ ! -x "$root/usr/bin/ninja" ]; then
  echo "# making a Debian 13 root in $root"
  rm -rf --one-file-system "$root"
  if ! make_root >"$cache/trixie.log" 2>&1; then
    tail -5 "$cache/trixie.log" | sed 's/^/# /'
    echo "ok - trixie # SKIP a Debian 13 root cannot be made here"
    exit 0
  fi
fi

build=/var/tmp/slurm-on-aws
mkdir -p "$root$build" "$root$top"
# A mount namespace of its own: the project is mounted for the build, and gone after it.
unshare --mount --propagation private bash -ec "
  mount --rbind '$top' '$root$top'
  mount --rbind /proc '$root/proc'
  mount --rbind /dev '$root/dev'
  chroot '$root' sh -ec '
    cmake -G Ninja -S $top -B $build -DRC_WERROR=ON >/dev/null
    ninja -C $build -j2 rc-slurm-helper nodewatch slurm_probe drain_bare'
" >"$cache/trixie-build.log" 2>&1 || {
  tail -30 "$cache/trixie-build.log"
  echo "not ok - trixie: the helper builds against Slurm 24.11"
  exit 1
}
echo "ok - trixie: the helper builds against Slurm 24.11"
export RC_BIN=$build/bin RC_TEST_BUILD=$build
status=0
"$here/run.sh" --root "$root" "$@" || status=1
RC_SLURM_ROOT=$root bash "$top/tests/watch/run.sh" "$@" || status=1
exit "$status"
