# check_readme.sh - sourced by run.sh: the commands of deploy/terraform/README.md, one after the
# other, with the remote state in an emulator's S3 and DynamoDB; the provider's answers are made up.
# shellcheck shell=bash disable=SC2154,SC2016

README_TF=$WORK/readme/deploy/terraform
EMULATOR_PORT=$(python3 -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
EMULATOR=http://127.0.0.1:$EMULATOR_PORT

# `terraform` as the README and hand-over.sh call it. An operator's S3 needs none of these words.
lay_readme() {
    mkdir -p "$WORK/readme/deploy/ansible" "$WORK/bin"
    cp -r "$ROOT/deploy/terraform" "$WORK/readme/deploy/"
    rm -rf "$README_TF"/.terraform* "$README_TF"/terraform.tfvars "$README_TF"/backend.hcl
    cat >"$WORK/bin/terraform" <<SH
#!/bin/bash
export TF_CLI_CONFIG_FILE=$WORK/terraformrc CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
export AWS_ENDPOINT_URL_S3=$EMULATOR AWS_ENDPOINT_URL_DYNAMODB=$EMULATOR
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y
if [ "\$1" = init ] && [[ "\$*" == *backend.hcl* ]]; then
    set -- "\$@" -backend-config=use_path_style=true -backend-config=skip_credentials_validation=true \
        -backend-config=skip_requesting_account_id=true -backend-config=skip_metadata_api_check=true
fi
exec "$CACHE/venv/bin/python" "$HERE/terraform.py" "\$@"
SH
    chmod +x "$WORK/bin/terraform"
}
emulator_starts() {
    lay_readme
    AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_DEFAULT_REGION=us-east-1 "$RC_MOTO_PYTHON" \
        -m moto.server -H 127.0.0.1 -p "$EMULATOR_PORT" >"$WORK/moto.log" 2>&1 &
    EMULATOR_PID=$!
    trap 'kill "$EMULATOR_PID" 2>/dev/null; rm -rf "$WORK"' EXIT
    for _ in $(seq 100); do
        curl -sf -o /dev/null "$EMULATOR/moto-api/data.json" && return 0
        sleep 0.2
    done
    return 1
}
readme_in() {
    local folder=$1
    shift
    (cd "$README_TF/$folder" && env PATH="$WORK/bin:$PATH" "$@") # the program, not the function
}
# The bucket and the table of the bootstrap, by the names that it has written.
make_backend() {
    "$RC_MOTO_PYTHON" - "$EMULATOR" "$README_TF/backend.hcl" <<'PYTHON'
import re, sys, boto3
url, names = sys.argv[1], dict(re.findall(r'^(\w+)\s*= "(.*)"$', open(sys.argv[2]).read(), re.M))
options = {"endpoint_url": url, "region_name": names["region"], "aws_access_key_id": "x", "aws_secret_access_key": "y"}
boto3.client("s3", **options).create_bucket(Bucket=names["bucket"])
boto3.client("dynamodb", **options).create_table(
    TableName=names["dynamodb_table"], BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}])
PYTHON
}
bootstrap_writes_backend() {
    readme_in bootstrap terraform init -input=false -no-color &&
        readme_in bootstrap terraform apply -input=false -no-color -auto-approve \
            -var cluster_name=prod-a -var bucket=mycompany-terraform-state || return 1
    # The provider of files is made up too: it writes none.
    readme_in bootstrap terraform output -no-color -raw backend_hcl >"$README_TF/backend.hcl" && make_backend
}
readme_applies() {
    cp "$README_TF/terraform.tfvars.example" "$README_TF/terraform.tfvars"
    readme_in . terraform init -input=false -no-color -backend-config=backend.hcl &&
        readme_in . terraform plan -input=false -no-color &&
        readme_in . terraform apply -input=false -no-color -auto-approve
}
state_is_remote() {
    "$RC_MOTO_PYTHON" - "$EMULATOR" "$README_TF/backend.hcl" <<'PYTHON'
import json, re, sys, boto3
url, names = sys.argv[1], dict(re.findall(r'^(\w+)\s*= "(.*)"$', open(sys.argv[2]).read(), re.M))
options = {"endpoint_url": url, "region_name": names["region"], "aws_access_key_id": "x", "aws_secret_access_key": "y"}
state = json.load(boto3.client("s3", **options).get_object(Bucket=names["bucket"], Key=names["key"])["Body"])
locks = boto3.client("dynamodb", **options).scan(TableName=names["dynamodb_table"])["Items"]
print(len(state["resources"]), "resources;", locks)
# After an apply the table has the state's digest, and no lock is held.
sys.exit(not (len(state["resources"]) > 40 and len(locks) == 1 and "Digest" in locks[0]))
PYTHON
}
outputs_are_there() {
    local name said
    for name in login_public_ips controller_private_ips compute_private_ips gpu_compute_private_ips slurm_db_endpoint; do
        if ! said=$(readme_in . terraform output -no-color "$name") ||
            ! grep -qE '[0-9]|amazonaws' <<<"$said"; then
            echo "no $name"
            return 1
        fi
    done
}
daemon_takes_over() {
    readme_in . ./hand-over.sh && readme_in . terraform state list >"$WORK/list" &&
        ! grep -qE '^module\.nodes\.(aws_instance\.(compute|fixed\["ctl-)|aws_ec2_tag\.interface\["ctl-)' "$WORK/list" &&
        grep -q '^module\.nodes\.aws_instance\.fixed\["nfs-1"\]' "$WORK/list" && readme_in . ./hand-over.sh
}
# docs/teardown.md, its part of Terraform. A destroy first looks at everything that is left.
torn_down() {
    readme_in . terraform apply -input=false -no-color -auto-approve \
        -var 'database={deletion_protection=false}' &&
        rm "$README_TF/hand-over.auto.tfvars" &&
        readme_in . terraform destroy -input=false -no-color -auto-approve &&
        [ -z "$(readme_in . terraform state list)" ]
}
# Versions and marks of deletion: S3 refuses to remove a bucket that still has one.
fill_bucket() {
    "$RC_MOTO_PYTHON" - "$EMULATOR" "$1" "$2" <<'PYTHON'
import sys, boto3
url, name, what = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
if what == "fill":
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for n in range(3):
        for key in ("node/hosts", "forensics/1-gpu-1/node.tar.gz"):
            s3.put_object(Bucket=name, Key=key, Body=str(n).encode())
    s3.delete_object(Bucket=name, Key="node/hosts")
found = s3.list_object_versions(Bucket=name)
left = len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))
print(left, "left")
sys.exit(left != (7 if what == "fill" else 0))
PYTHON
}
buckets_are_emptied() {
    local bucket
    made awscli venv awscli awscli==1.44.5 && bucket=$(readme_in . terraform output -no-color -raw packages_bucket) &&
        fill_bucket "$bucket" fill || return 1
    awk '/^   ```$/ { block++; next } block == 1' "$ROOT/docs/teardown.md" |
        sed "s|/tmp/versions.json|$WORK/versions.json|g" >"$WORK/empty.sh"
    grep -q delete-objects "$WORK/empty.sh" &&
        readme_in . env PATH="$WORK/bin:$CACHE/awscli/bin:$PATH" AWS_ENDPOINT_URL="$EMULATOR" AWS_DEFAULT_REGION=us-east-1 \
            AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y bash -eu "$WORK/empty.sh" &&
        fill_bucket "$bucket" look
}
emulator_takes_all() {
    readme_in . terraform show -json -no-color >"$WORK/readme.json" &&
        RC_EMULATOR_URL=$EMULATOR "$RC_MOTO_PYTHON" "$ROOT/tests/roots/cloud_apply.py" "$WORK/readme.json"
}

if [ -x "${RC_MOTO_PYTHON:-}" ]; then
    check "README: an emulator of S3 and DynamoDB starts" emulator_starts
    check "README: bootstrap applies and writes backend.hcl" bootstrap_writes_backend
    check "README: init, plan and apply with the remote state" readme_applies
    check "README: the state is in S3, its digest in the lock table, no lock is left" state_is_remote
    check "README: the outputs of the specification are there" outputs_are_there
    check "the emulator's API takes what the state says: VPC, templates, roles, rules, queues, tables" emulator_takes_all
    check "hand-over.sh leaves compute nodes and controllers to the daemon, also when it runs again" daemon_takes_over
    check "the buckets are emptied by the words of docs/teardown.md" buckets_are_emptied
    check "a tear-down as docs/teardown.md says leaves nothing in the state" torn_down
else
    skip "README: the commands with an emulator's S3 and DynamoDB" "RC_MOTO_PYTHON names no Python with moto: start through ./run"
fi
