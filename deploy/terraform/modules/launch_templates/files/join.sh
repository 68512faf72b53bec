#!/bin/bash
# slurm-on-aws-join - makes a fresh instance a node of its cluster.
#
# Reads /etc/slurm-on-aws/join.env, the instance's tags, and what the controllers have published in
# the cluster's bucket. What an image brings already is left as it is, so the same script serves a
# plain image (installs Slurm, the file systems' clients and the node package) and one that the
# roles have prepared (GPU drivers, EFA), and may run again at any time. While nothing is published
# yet it does nothing: the plays make such an instance a node.
set -euo pipefail

readonly ENV_FILE=${RC_JOIN_ENV:-/etc/slurm-on-aws/join.env}
readonly IMDS=${RC_IMDS:-http://169.254.169.254}
readonly PUBLISHED=/var/lib/slurm-on-aws-node
# shellcheck source=/dev/null
. "$ENV_FILE"

say() { echo "slurm-on-aws-join: $*"; }

imds_token() {
    curl -sf --retry 10 --retry-connrefused -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 900' \
        "$IMDS/latest/api/token"
}

imds() {
    curl -sf --retry 5 -H "X-aws-ec2-metadata-token: $TOKEN" "$IMDS/latest/$1"
}

# The value of KEY in the credentials of the instance's role.
credential() {
    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<<"$CREDENTIALS"
}

# A signed request. Secrets go to curl on its standard input, not in its arguments.
aws_curl() {
    local service=$1
    shift
    curl -sf --retry 5 --aws-sigv4 "aws:amz:$RC_REGION:$service" -K - "$@" <<CONFIG
user = "$(credential AccessKeyId):$(credential SecretAccessKey)"
header = "X-Amz-Security-Token: $(credential Token)"
CONFIG
}

# fetch NAME: one of the published files. curl's status 22: it is not there.
fetch() {
    aws_curl s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -o "$PUBLISHED/$1" \
        "https://$RC_PACKAGES_BUCKET.s3.$RC_REGION.amazonaws.com/node/$1"
}

node_name() {
    imds meta-data/tags/instance/slurm-on-aws:node
}

# A hot spare (tag spare/GROUP/K) has everything but a name: it gets one when a node is lost.
# Tags of a Nitro instance are served anew within seconds, without a restart.
await_name() {
    local name
    name=$(node_name)
    case $name in
    spare/*) say "a spare, ready to take over a name" ;;
    esac
    while [[ $name == spare/* ]]; do
        sleep "${RC_JOIN_POLL:-2}"
        TOKEN=$(imds_token)
        name=$(node_name) || name=spare/unknown
    done
    NAME=$name
}

set_name() {
    local name=$1
    hostnamectl set-hostname "$name"
    if ! grep -q "^127\.0\.1\.1[[:space:]]$name\$" /etc/hosts; then
        sed -i '/^127\.0\.1\.1[[:space:]]/d' /etc/hosts
        echo "127.0.1.1 $name" >>/etc/hosts
    fi
}

# between BEGIN-END-FILE LINES: our lines in a file that others write too; the markers are those of
# the hostnames role.
own_block() {
    local file=$1 lines=$2 mark="slurm-on-aws: fixed nodes"
    sed -i "/^# BEGIN $mark\$/,/^# END $mark\$/d" "$file"
    { echo "# BEGIN $mark" && cat "$lines" && echo "# END $mark"; } >>"$file"
}

mount_shared() {
    local source target kind options
    while read -r source target kind options; do
        mkdir -p "$target"
        grep -qF "$source $target " /etc/fstab || echo "$source $target $kind $options" >>/etc/fstab
        # A server that is away must not keep a node out: nofail, and the next boot tries again.
        mountpoint -q "$target" || timeout 60 mount "$target" || say "cannot mount $target"
    done <"$PUBLISHED/fstab"
}

wanted_packages() {
    echo slurmd munge
    grep -q ' nfs4 ' "$PUBLISHED/fstab" && echo nfs-common
    grep -q ' glusterfs ' "$PUBLISHED/fstab" && echo glusterfs-client
    return 0
}

install_packages() {
    local missing=() p
    for p in $(wanted_packages); do
        dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "installing ${missing[*]}"
    apt-get update -q
    # The daemons start at the end, with the configuration in place.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends \
        "${missing[@]}"
}

install_node_package() {
    [ -x /usr/sbin/nodewatch ] && return 0
    say "installing slurm-on-aws-node from s3://$RC_PACKAGES_BUCKET"
    fetch slurm-on-aws-node.deb
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        "$PUBLISHED/slurm-on-aws-node.deb"
}

# The daemon's gate signs in with this key and runs commands, nothing else.
let_probe_in() {
    local home=/var/lib/slurm-on-aws-probe
    fetch probe.pub
    id -u slurm-on-aws >/dev/null 2>&1 ||
        useradd --system --create-home --home-dir "$home" --shell /bin/sh --password '*' slurm-on-aws
    install -d -m 700 -o slurm-on-aws -g slurm-on-aws "$home/.ssh"
    sed 's/^/no-agent-forwarding,no-port-forwarding,no-pty,no-X11-forwarding /' "$PUBLISHED/probe.pub" \
        >"$home/.ssh/authorized_keys"
    chown slurm-on-aws: "$home/.ssh/authorized_keys"
    chmod 600 "$home/.ssh/authorized_keys"
}

write_munge_key() {
    local answer
    umask 077
    answer=$(aws_curl secretsmanager -H 'Content-Type: application/x-amz-json-1.1' \
        -H 'X-Amz-Target: secretsmanager.GetSecretValue' \
        -d "{\"SecretId\":\"$RC_MUNGE_SECRET\"}" \
        "https://secretsmanager.$RC_REGION.amazonaws.com/")
    python3 -c 'import base64, json, sys
sys.stdout.buffer.write(base64.b64decode(json.load(sys.stdin)["SecretString"]))' \
        <<<"$answer" >/etc/munge/munge.key.new
    chown munge:munge /etc/munge/munge.key.new
    chmod 400 /etc/munge/munge.key.new
    mv /etc/munge/munge.key.new /etc/munge/munge.key
    umask 022
}

# Configless: slurmctld serves the configuration; the gate asks the same servers.
write_slurmd_options() {
    cat >/etc/default/slurmd <<OPTIONS
SLURMD_OPTIONS="--conf-server $RC_CONTROLLERS"
OPTIONS
    cat >/etc/default/slurm-on-aws-node <<OPTIONS
NODEWATCH_ADMIT_OPTIONS="--conf-server $RC_CONTROLLERS"
NODEWATCH_WATCH_OPTIONS="$RC_WATCH_OPTIONS"
OPTIONS
}

main() {
    TOKEN=$(imds_token)
    CREDENTIALS=$(imds "meta-data/iam/security-credentials/$(imds meta-data/iam/security-credentials/)")
    mkdir -p "$PUBLISHED"
    if ! fetch hosts; then
        say "nothing is published in s3://$RC_PACKAGES_BUCKET yet: the plays make this instance a node"
        return 0
    fi
    fetch fstab
    own_block /etc/hosts "$PUBLISHED/hosts"
    install_packages
    install_node_package
    let_probe_in
    mount_shared
    write_munge_key
    write_slurmd_options
    await_name
    set_name "$NAME"
    systemctl daemon-reload
    systemctl enable munge slurmd nodewatch
    systemctl restart munge nodewatch
    # Not waited for: the gate stays closed until the daemon has registered this instance.
    systemctl --no-block restart slurmd
    say "done; slurmd waits for its admission"
}

main "$@"
