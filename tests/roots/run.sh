#!/bin/bash
# The roles, really run: Terraform's inventory, booted Debian roots, plays over ssh, and the
# cluster that comes out of them. Trees and tools are made once in RC_CACHE.
# shellcheck source-path=SCRIPTDIR disable=SC1091,SC2034,SC2317
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../deploy"
HERE=$PWD
ROOT=$(cd ../.. && pwd)
CACHE=${RC_CACHE:-$HOME/.cache/slurm-on-aws}/deploy
mkdir -p "$CACHE"
# shellcheck source=../deploy/tools.sh
. ./tools.sh

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
mkdir -p "$WORK/deploy/ansible" "$WORK/rendered" "$WORK/packages"
cp -r "$ROOT/deploy/terraform" "$WORK/deploy/"

render() {
    terraform_setup &&
        render_cluster "$WORK/deploy/terraform" "$ROOT/tests/roots/cluster.tfvars" "$WORK/rendered"
}
# step SENTENCE COMMAND...: without it nothing else can be tried.
step() {
    local sentence=$1
    shift
    "$@" >"$WORK/log" 2>&1 || {
        echo "not ok - $sentence"
        tail -n 40 "$WORK/log" | sed 's/^/#   /'
        exit 1
    }
    echo "ok - $sentence"
}
step "Terraform renders the cluster" render
step "Ansible is there" made ansible venv ansible ansible==12.2.0
step "the packages build" "$ROOT/deploy/debian/build.sh" "$WORK/packages"
cd "$ROOT"
# Each systemd has a few of these; with the kernel's 128 a second world beside this one would hang in its boot.
[ "$(sysctl -n fs.inotify.max_user_instances)" -ge 1024 ] || sysctl -qw fs.inotify.max_user_instances=1024 || true
# Mounts of the roots are in a namespace that goes with its last process.
roots=0
RC_ANSIBLE=$CACHE/ansible/bin unshare --mount --propagation private \
    python3 -m tests.roots.check_roots "$WORK/rendered" "$WORK/packages" || roots=1
unshare --mount --propagation private python3 -m tests.roots.check_packages bookworm trixie || roots=1
exit "$roots"
