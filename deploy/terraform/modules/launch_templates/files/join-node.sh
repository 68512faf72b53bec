# join-node.sh - continues join-common.sh: a compute node. A plain image gets Slurm, the file systems'
# clients and the node package; one that the roles have prepared has the GPU drivers and EFA too.
# shellcheck shell=bash

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
        # shellcheck disable=SC2034 # imds uses it
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

mount_shared() {
    local source target kind options
    while read -r source target kind options; do
        mkdir -p "$target"
        add_to_fstab "$source" "$target" "$kind" "$options"
        # A server that is away must not keep a node out: nofail, and the next boot tries again.
        mountpoint -q "$target" || timeout 60 mount "$target" || say "cannot mount $target"
    done <"$PUBLISHED/fstab"
}

wanted_packages() {
    echo slurmd munge chrony
    grep -q ' nfs4 ' "$PUBLISHED/fstab" && echo nfs-common
    grep -q ' glusterfs ' "$PUBLISHED/fstab" && echo glusterfs-client
    return 0
}

install_packages() {
    local wanted=()
    # shellcheck disable=SC2046 # names of packages
    mapfile -t wanted < <(missing $(wanted_packages))
    [ ${#wanted[@]} -eq 0 ] && return 0
    apt-get update -q
    install_quietly "${wanted[@]}"
}

# An image may bring an older one than the cluster runs; one as new is left as it is.
install_node_package() {
    local deb=$PUBLISHED/slurm-on-aws-node.deb new old
    fetch node/slurm-on-aws-node.deb
    new=$(dpkg-deb -f "$deb" Version)
    old=$(dpkg-query -W -f='${Version}' slurm-on-aws-node 2>/dev/null) || old=
    # dpkg takes none for older than any.
    if dpkg --compare-versions "$new" gt "$old"; then
        install_quietly "$deb"
    fi
}

# The daemon's gate signs in with this key and runs commands, nothing else.
let_probe_in() {
    local home=/var/lib/slurm-on-aws-probe
    fetch node/probe.pub
    id -u slurm-on-aws >/dev/null 2>&1 ||
        useradd --system --create-home --home-dir "$home" --shell /bin/sh --password '*' slurm-on-aws
    install -d -m 700 -o slurm-on-aws -g slurm-on-aws "$home/.ssh"
    sed 's/^/no-agent-forwarding,no-port-forwarding,no-pty,no-X11-forwarding /' "$PUBLISHED/probe.pub" \
        >"$home/.ssh/authorized_keys"
    chown slurm-on-aws: "$home/.ssh/authorized_keys"
    chmod 600 "$home/.ssh/authorized_keys"
}

# As the reconciler role does it. An older release has published nothing.
limit_ssh() {
    local status=0
    fetch node/ssh-always || status=$?
    [ "$status" != "$ABSENT" ] || return 0
    [ "$status" = 0 ] || return "$status"
    # shellcheck disable=SC2046 # names
    /usr/libexec/slurm-on-aws/ssh-needs-job $(cat "$PUBLISHED/ssh-always")
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
NODE_SCRATCH="$RC_SCRATCH"
OPTIONS
}

main() {
    local status=0
    sign_in
    fetch node/hosts || status=$?
    if [ "$status" = "$ABSENT" ]; then
        say "nothing is published in s3://$RC_PACKAGES_BUCKET yet: the plays make this instance a node"
        return 0
    fi
    [ "$status" = 0 ] || return "$status"
    fetch node/fstab
    own_block /etc/hosts "$PUBLISHED/hosts"
    install_packages
    keep_time
    install_node_package
    let_probe_in
    limit_ssh
    mount_shared
    write_munge_key
    write_slurmd_options
    await_name
    set_name "$NAME"
    systemctl daemon-reload
    systemctl enable munge slurmd nodewatch
    systemctl restart munge nodewatch
    # An image may have an older node package, which has neither; disks may be somebody's.
    systemctl enable --now controller-names.timer || say "names of controllers are not kept up to date"
    systemctl enable --now slurm-on-aws-scratch || say "no scratch: journalctl -u slurm-on-aws-scratch"
    # Not waited for: the gate stays closed until the daemon has registered this instance.
    systemctl --no-block restart slurmd
    say "done; slurmd waits for its admission"
}

main "$@"
