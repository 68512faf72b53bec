#!/bin/bash
# hand-over.sh - from now on the daemon alone launches and ends compute nodes and controllers.
#
# Run once, after the reconciler's play: Terraform forgets these instances (nothing is terminated)
# and hand-over.auto.tfvars keeps it from launching new ones. Safe to run again. Whatever Terraform
# cannot tell ends it before anything is changed.
set -euo pipefail
cd "$(dirname "$0")"

state=$(terraform state list)
theirs=$(terraform output -no-color -raw daemons_instances)
mapfile -t known < <(grep -Fx "$theirs" <<<"$state" || true)
echo 'handed_over = true' >hand-over.auto.tfvars
if [ ${#known[@]} -gt 0 ]; then
    terraform state rm "${known[@]}"
fi
plan=$(terraform plan -input=false -no-color)
if grep -E '# module\.nodes\.aws_(instance\.|ec2_tag\.interface\["ctl-).* (will be|must be) (created|destroyed|replaced)' <<<"$plan"; then
    echo "hand-over.sh: the plan above would still touch instances: do not apply it" >&2
    exit 1
fi
instances=$(printf '%s\n' "${known[@]}" | grep -c aws_instance || true)
echo "hand-over.sh: done. $instances instances are the daemon's now."
