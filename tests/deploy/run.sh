#!/bin/bash
# The deploy files, checked as far as anything reaches without an AWS account: Terraform's own
# core on AWS's schema, rendered IAM policies and event patterns, checkov, units, rules and
# scripts. Tools are made once in RC_CACHE; each check prints ok or not ok.
# shellcheck source-path=SCRIPTDIR disable=SC1091,SC2034,SC2317
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
HERE=$PWD
ROOT=$(cd ../.. && pwd)
D=$ROOT/deploy
CACHE=${RC_CACHE:-$HOME/.cache/slurm-on-aws}/deploy
mkdir -p "$CACHE"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failed=0

# shellcheck source=tools.sh
. ./tools.sh

# check SENTENCE COMMAND...: the output is shown when it fails.
check() {
    local sentence=$1
    shift
    if "$@" >"$WORK/out" 2>&1; then
        echo "ok - $sentence"
    else
        echo "not ok - $sentence"
        sed 's/^/#   /' "$WORK/out" | tail -n 60
        failed=1
    fi
}

skip() {
    echo "ok - $1 # SKIP $2"
}

# shellcheck source=check_terraform.sh
. ./check_terraform.sh
# shellcheck source=check_rendered.sh
. ./check_rendered.sh
# shellcheck source=check_readme.sh
. ./check_readme.sh
# shellcheck source=check_units.sh
. ./check_units.sh
# shellcheck source=check_metrics.sh
. ./check_metrics.sh
# shellcheck source=check_scripts.sh
. ./check_scripts.sh
# shellcheck source=check_roles.sh
. ./check_roles.sh
# shellcheck source=check_slurm_conf.sh
. ./check_slurm_conf.sh
# shellcheck source=check_packages.sh
. ./check_packages.sh
# shellcheck source=check_pages.sh
. ./check_pages.sh
exit "$failed"
