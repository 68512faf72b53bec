# join-controller.sh - continues join-common.sh: a controller in the place of a lost one. It gets what the
# reconciler play has published from a living one: packages, the shared state's mounts, units,
# configuration, secrets. It runs munge, slurmdbd and the daemon, which stands by. Never slurmctld:
# only the leader knows whether the old one is dead, and starts it here as backup.
# shellcheck shell=bash

# Its place in SlurmctldHost, from 0.
index_of() {
    local host i=0
    for host in ${RC_CONTROLLERS//,/ }; do
        [ "$host" = "$1" ] && echo "$i" && return 0
        i=$((i + 1))
    done
    say "$1 is none of $RC_CONTROLLERS: this instance has no place in the cluster"
    return 1
}

# The fixed nodes as published, this one at the address that it has now.
write_names() {
    local addr
    addr=$(imds meta-data/local-ipv4)
    hostnamectl set-hostname "$NAME"
    sed -i "s/^[^ ]* $NAME\$/$addr $NAME/" "$PUBLISHED/hosts"
    own_block /etc/hosts "$PUBLISHED/hosts"
}

# Debian starts what it installs. Nothing may run before this host has its state and its gate.
hold_services() {
    HELD=/usr/sbin/policy-rc.d
    [ -e "$HELD" ] && HELD=
    [ -z "$HELD" ] || { printf '#!/bin/sh\nexit 101\n' >"$HELD" && chmod 755 "$HELD"; }
    trap 'rm -f "${HELD:-}"' EXIT
}

# Debian 12 and Ubuntu name Slurm's PMIx library in two ways.
pmix() {
    apt-cache show libpmix2t64 >/dev/null 2>&1 && echo libpmix2t64 || echo libpmix2
}

install_controller() {
    local wanted=()
    apt-get update -q
    # shellcheck disable=SC2046 # the name of a package
    mapfile -t wanted < <(missing chrony munge slurm-client slurmctld slurmdbd nfs-common $(pmix))
    install_quietly "${wanted[@]}"
    fetch controller/slurm-on-aws-controller.deb
    install_quietly "$PUBLISHED/slurm-on-aws-controller.deb"
}

# Configuration, units and certificates as on the other controller; the gate before slurmctld knows
# this one's place. It is written before any package comes: without its program slurmctld fails to start.
unpack_files() {
    tar -C / -xzf "$PUBLISHED/files.tar.gz"
    sed -i "s/--index [0-9]*/--index $(index_of "$NAME")/" \
        /etc/systemd/system/slurmctld.service.d/60-admit.conf
}

# State and configuration. Without them there is no controller: the daemon's and Slurm's units wait.
mount_state() {
    local source target kind options
    while read -r source target kind options; do
        mkdir -p "$target"
        add_to_fstab "$source" "$target" "$kind" "$options"
    done <"$PUBLISHED/fstab"
    systemctl daemon-reload
    while read -r source target kind options; do
        mountpoint -q "$target" || timeout 120 mount "$target"
    done <"$PUBLISHED/fstab"
}

write_secrets() {
    install -d -m 755 /etc/slurm-on-aws
    cluster-aws munge "$RC_REGION" "$RC_MUNGE_SECRET"
    cluster-aws unseal "$RC_REGION" "$RC_CONTROLLER_SECRET" slurm \
        peer.key=/etc/slurm-on-aws/peer.key probe_ed25519=/etc/slurm-on-aws/probe_ed25519
}

# Fresh nodes take the names from there; those that run follow slurm.conf (controller-names).
publish_address() {
    fetch node/hosts
    sed -i "s/^[^ ]* $NAME\$/$(imds meta-data/local-ipv4) $NAME/" "$PUBLISHED/hosts"
    cluster-aws publish "$RC_REGION" "$RC_PACKAGES_BUCKET" node/hosts "$PUBLISHED/hosts"
}

main() {
    local status=0
    sign_in
    NAME=$(node_name)
    index_of "$NAME" >/dev/null
    fetch controller/files.tar.gz || status=$?
    if [ "$status" = "$ABSENT" ]; then
        say "nothing is published in s3://$RC_PACKAGES_BUCKET yet: the plays make this instance a controller"
        return 0
    fi
    [ "$status" = 0 ] || return "$status"
    fetch node/hosts
    fetch controller/fstab
    write_names
    hold_services
    unpack_files
    install_controller
    rm -f "${HELD:-}"
    HELD=
    keep_time
    mount_state
    install -d -m 755 -o slurm -g slurm /var/log/slurm
    write_secrets
    systemctl daemon-reload
    # slurmctld is enabled for later boots, where its gate decides; it is not started.
    systemctl enable munge slurmdbd slurmctld reconcilerd controller-names.timer slurm-on-aws-database.timer
    systemctl restart munge
    systemctl restart slurmdbd
    systemctl restart reconcilerd controller-names.timer slurm-on-aws-database.timer
    publish_address
    say "done; $NAME stands by, slurmctld waits for the leader"
}

main "$@"
