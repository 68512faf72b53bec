# check_terraform.sh - sourced by run.sh: fmt, validate, test; what bad input is told; an apply.
# shellcheck shell=bash disable=SC2154

# A copy: Terraform writes beside what it reads.
mkdir -p "$WORK/deploy/ansible"
cp -r "$ROOT/deploy/terraform" "$WORK/deploy/"
TF=$WORK/deploy/terraform
rm -rf "$TF"/.terraform* "$TF"/*/.terraform*

init() {
    (cd "$1" && terraform init -backend=false -input=false -no-color)
}

in_folder() {
    local folder=$1
    shift
    (cd "$folder" && terraform "$@")
}

check "the schema of AWS provider $AWS_PROVIDER is there" terraform_setup
check "every Terraform file is formatted" in_folder "$TF" fmt -check -recursive -diff

for module in "$TF"/modules/* "$TF"/bootstrap "$TF"; do
    name=${module#"$TF"}
    name=${name#/}
    name=${name:-root}
    check "$name: init" init "$module"
    check "$name: valid against the schema" in_folder "$module" validate -no-color
    if compgen -G "$module/tests/*.tftest.hcl" >/dev/null; then
        check "$name: its tests pass" in_folder "$module" test -no-color
    else
        check "$name: has tests" false
    fi
done

check "every module's README has all its variables and outputs" python3 rendered.py readmes "$TF/modules"

# --- an apply, with what the cloud would answer made up ---------------------------------------

cat >"$TF/backend_override.tf" <<'HCL'
terraform {
  backend "local" {}
}
HCL
cp "$TF/terraform.tfvars.example" "$TF/terraform.tfvars"

apply() {
    in_folder "$TF" init -input=false -no-color -reconfigure &&
        in_folder "$TF" apply -input=false -no-color -auto-approve -parallelism=4
}
check "the example applies from an empty account" apply

no_changes() {
    in_folder "$TF" plan -input=false -no-color -detailed-exitcode
}
check "a second plan has nothing to do" no_changes

# What a change must not take with it: the data of a server that is made again, every server for a new key.
leaves_alone() {
    local replaced=$1 left=$2
    in_folder "$TF" plan -input=false -no-color -lock=false -refresh=false -replace="$replaced" >"$WORK/plan" || return 1
    grep -qF "# $replaced will be replaced" "$WORK/plan" && ! grep -E "# $left.* (will|must) be" "$WORK/plan"
}
check "an NFS server that is made again keeps its volume" leaves_alone 'module.nodes.aws_instance.fixed["nfs-1"]' \
    'module\.nodes\.aws_ebs_volume'
check "another key of the operator replaces no machine" leaves_alone aws_key_pair.operator 'module\.nodes\.aws_instance'

# --- bad input: what an operator reads ------------------------------------------------------

# refused SENTENCE WORDS ARGUMENTS...: the plan must fail and say these words.
refused() {
    local words=$1
    shift
    if in_folder "$TF" plan -input=false -no-color -lock=false -refresh=false "$@"; then
        return 1
    fi >"$WORK/plan" 2>&1
    # Terraform wraps its messages in a frame.
    tr '\n' ' ' <"$WORK/plan" | sed 's/[│╷╵]//g' | tr -s ' ' | grep -qF "$words" || { cat "$WORK/plan"; return 1; }
}

check "a t2 type in the placement group is refused" refused "cannot join a cluster placement group" \
    -var 'cpu={type="t2.small"}'
check "a t2 type outside of it is refused too" refused "of a generation before Nitro" \
    -var 'cpu={type="t2.small",placement_group=false}'
check "a t3 type in the placement group is refused" refused "choose one that can, such as c7a.medium" \
    -var 'cpu={type="t3.small"}'
check "a t2 controller is refused" refused "Choose t3.small or newer" \
    -var 'controller={count=2,type="t2.small"}'
check "fewer than four EFA cards on p4d are refused" refused "one EFA on a p4d gives 100 of its 400 Gb/s" \
    -var 'gpu={efa_cards=1}'
check "SSH from everywhere is refused" refused "must not let the whole Internet in" \
    -var 'ssh_cidrs=["0.0.0.0/0"]'
check "an address that is no network's first is refused for SSH" refused 'one machine as "203.0.113.7/32"' \
    -var 'ssh_cidrs=["203.0.113.7/24"]'
check "IPv6 is refused for SSH" refused "at least one IPv4 network" -var 'ssh_cidrs=["2001:db8::/32"]'
check "no network for SSH is refused" refused "the networks you sign in from" -var 'ssh_cidrs=[]'
check "overlapping subnets are refused" refused "The subnets overlap" \
    -var 'private_subnet_cidrs=["10.20.16.0/20","10.20.24.0/21"]'
check "the same subnet twice is refused" refused "The subnets overlap" \
    -var 'private_subnet_cidrs=["10.20.16.0/20","10.20.16.0/20"]'
check "a VPC that AWS would refuse is refused" refused "of /16 or smaller" -var vpc_cidr=10.0.0.0/8
check "a subnet outside the VPC is refused" refused "outside the VPC" \
    -var 'private_subnet_cidrs=["10.20.16.0/20","10.21.16.0/20"]'
check "a cluster name with blanks is refused" refused "without blanks" -var 'cluster_name=my cluster'
check "one controller only is refused" refused "controller.count must be 2" -var 'controller={count=1}'
check "one zone only is refused" refused "at least two different zones" \
    -var 'availability_zones=["us-east-1a"]' -var 'private_subnet_cidrs=["10.20.16.0/20"]'
check "two GlusterFS nodes are refused" refused "multiple of 3" -var 'gluster={count=2}'
check "a brick without room is refused" refused "gluster.brick_gb must be" -var 'gluster={brick_gb=0}'
check "a reservation of kind open is refused" refused "belongs to the kinds reserved and block" \
    -var 'gpu_capacity={kind="open",reservation_id="cr-0123456789abcdef0"}'
check "a reservation with nodes in two zones is refused" refused "is in one zone" \
    -var 'gpu={zones=["us-east-1a","us-east-1b"]}' -var 'gpu_capacity={kind="reserved",reservation_id="cr-0123456789abcdef0"}'
check "zones of another region are refused" refused "must be zones of the region" -var region=eu-west-1
check "a zone without a subnet is refused" refused "must be some of availability_zones" \
    -var 'cpu={zones=["us-east-1f"]}'
check "a name that RDS would refuse is refused" refused "single dashes" -var cluster_name=prod--a
check "a NAT subnet that overlaps is refused" refused "The subnets overlap" \
    -var 'nat_subnet_cidrs=["10.20.16.0/24"]'
check "a cluster name with capitals is refused" refused "small letters" -var cluster_name=Prod-A
check "an ARM type of nodes is refused" refused "its sibling, such as c7a or c7i for c7g" -var 'cpu={type="c7g.medium"}'
check "an ARM type of a server is refused" refused "m7i or m7a for m7g" -var 'nfs={type="m7g.large"}'
check "a flex type in the placement group is refused" refused "cannot join a cluster placement group" \
    -var 'cpu={type="m8i-flex.large"}'
check "GPU nodes on Debian 13 are refused" refused "begin with driver branch 590" -var os=debian-13
check "a cluster without nodes is refused" refused "runs no job" -var 'cpu={count=0}' -var 'gpu={count=0}'
check "a reservation without nodes is refused" refused "paid for and never used" -var 'gpu={count=0}' \
    -var 'gpu_capacity={kind="reserved",create=true}'
check "a reservation of another form is refused" refused "such as cr-0123456789abcdef0" \
    -var 'gpu_capacity={kind="reserved",reservation_id="mine"}'
check "an unknown kind of capacity is refused" refused "must be open, reserved or block" -var 'gpu_capacity={kind="spot"}'
check "three zones with two subnets are refused" refused "one network for each zone" \
    -var 'availability_zones=["us-east-1a","us-east-1b","us-east-1c"]'
check "a region in China is refused" refused "have other host names" -var region=cn-north-1 \
    -var 'availability_zones=["cn-north-1a","cn-north-1b"]'
check "half a day of snapshots is refused" refused "whole number from 0" -var snapshot_days=0.5
check "MySQL 5.7 is refused" refused "must be 8.0 or 8.4" -var 'database={engine_version="5.7"}'
check "state on NFS without a server is refused" refused "needs the NFS server" \
    -var state_on=nfs -var 'nfs={count=0}'
check "a private key instead of a public one is refused" refused "never the private key" \
    -var 'ssh_public_key=-----BEGIN OPENSSH PRIVATE KEY-----'

# --- the examples ---------------------------------------------------------------------------

for example in "$TF"/examples/*.tfvars; do
    check "$(basename "$example") plans" in_folder "$TF" plan -input=false -no-color -lock=false \
        -var-file="$example"
done
