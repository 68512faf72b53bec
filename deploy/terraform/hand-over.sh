#!/bin/bash
# hand-over.sh - from now on the daemon alone launches and terminates compute nodes.
#
# Run once, after the reconciler's play: Terraform forgets the compute instances (nothing is
# terminated) and hand-over.auto.tfvars keeps it from launching new ones. Safe to run again. Whatever
# Terraform cannot tell ends it before anything is changed.
set -euo pipefail
cd "$(dirname "$0")"

state=$(terraform state list)
mapfile -t known < <(grep '^module\.nodes\.aws_instance\.compute\[' <<<"$state" || true)
echo 'launch_compute = false' >hand-over.auto.tfvars
if [ ${#known[@]} -gt 0 ]; then
    terraform state rm "${known[@]}"
fi
plan=$(terraform plan -input=false -no-color)
if grep -E '# module\.nodes\.aws_instance\.compute\[.* will be (created|destroyed)' <<<"$plan"; then
    echo "hand-over.sh: the plan above would still touch compute nodes: do not apply it" >&2
    exit 1
fi
echo "hand-over.sh: done. ${#known[@]} compute nodes are the daemon's now."
