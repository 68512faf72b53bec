# check_units.sh - sourced by run.sh: systemd units, what they set up, who may use it.
# shellcheck shell=bash disable=SC2154

unit_verifies() {
    # The programs are not installed here: everything else must be right.
    systemd-analyze verify --recursive-errors=yes "$1" 2>&1 | grep -v 'is not executable' >"$WORK/unit"
    cat "$WORK/unit"
    [ ! -s "$WORK/unit" ]
}
exposed_at_most() {
    systemd-analyze security --no-pager --offline=true --threshold="$1" "$2"
}
# These take what the agent looks at: ProtectClock reading the clock and, before systemd 253, devices.
agent_can_look() {
    ! grep -nE '^(ProtectClock|PrivateDevices|ProtectKernelLogs)=yes|^(DeviceAllow|DevicePolicy)=' "$1" &&
        grep -qE '^SystemCallFilter=.*\bclock_adjtime\b' "$1" &&
        grep -qE '^CapabilityBoundingSet=.*\bCAP_SYSLOG\b' "$1"
}
# With what Debian's unit has of it: slurmd's log is rotated there, and slurmd told by us.
logrotate_verifies() {
    mkdir -p "$WORK/units/logrotate.service.d"
    printf '[Service]\nType=oneshot\nExecStart=/bin/true\nPrivateDevices=true\nProtectSystem=full\n' >"$WORK/units/logrotate.service"
    cp "$D/systemd/logrotate.service.d/50-slurm-on-aws.conf" "$WORK/units/logrotate.service.d/"
    SYSTEMD_UNIT_PATH=$WORK/units: unit_verifies "$WORK/units/logrotate.service" &&
        grep -qx 'ExecStopPost=-systemctl kill --kill-whom=main --signal=USR2 slurmd.service' "$WORK/units/logrotate.service.d/50-slurm-on-aws.conf"
}
if command -v systemd-analyze >/dev/null; then
    check "reconcilerd.service verifies" unit_verifies "$D/systemd/reconcilerd.service"
    # The threshold is in tenths.
    check "reconcilerd.service is exposed at most 2.0" exposed_at_most 20 "$D/systemd/reconcilerd.service"
    check "slurm-on-aws-reject@.service verifies" unit_verifies "$D/systemd/slurm-on-aws-reject@.service"
    check "slurm-on-aws-reject@.service is exposed at most 2.0" exposed_at_most 20 \
        "$D/systemd/slurm-on-aws-reject@.service"
    check "controller-names.service verifies" unit_verifies "$D/systemd/controller-names.service"
    check "controller-names.service is exposed at most 2.5" exposed_at_most 25 "$D/systemd/controller-names.service"
    check "slurm-on-aws-imds.service verifies" unit_verifies "$D/systemd/slurm-on-aws-imds.service"
    check "slurm-on-aws-imds.service is exposed at most 2.5" exposed_at_most 25 "$D/systemd/slurm-on-aws-imds.service"
    check "slurm-on-aws-scratch.service verifies" unit_verifies "$D/systemd/slurm-on-aws-scratch.service"
    check "nodewatch.service verifies" unit_verifies "$D/systemd/nodewatch.service"
    check "nodewatch.service lets the agent read the kernel log, the devices and the clock" agent_can_look \
        "$D/systemd/nodewatch.service"
    check "after a rotation slurmd is told to open its log anew" logrotate_verifies
    # It sees devices, all processes and the network: that is what is left.
    check "nodewatch.service is exposed at most 3.5" exposed_at_most 35 "$D/systemd/nodewatch.service"
else
    skip "reconcilerd.service verifies" "systemd-analyze is not installed"
fi
# shellcheck disable=SC2016 # the unit has the variable, not this script
gate_is_before_slurmd() {
    grep -qx 'ExecStartPre=/usr/sbin/nodewatch admit $NODEWATCH_ADMIT_OPTIONS' "$1" &&
        grep -qx 'TimeoutStartSec=infinity' "$1"
}
check "the gate stands before slurmd" gate_is_before_slurmd \
    "$D/systemd/slurmd.service.d/50-slurm-on-aws.conf"

# What systemd makes of the options of the mounts, which are nofail and so in no target's order.
slurmd_waits_after_a_reboot() {
    local dir=$WORK/fstab unit
    mkdir -p "$dir/out"
    sed -nE "s|^(nfs\|gluster)_mount_options: \"?([^ {]*).*|server:/\\1 /\\1 nfs4 \\2 0 0|p" "$D/ansible/group_vars/all/main.yml" >"$dir/fstab"
    SYSTEMD_FSTAB=$dir/fstab /lib/systemd/system-generators/systemd-fstab-generator "$dir/out" "$dir/out" "$dir/out" || return 1
    for unit in nfs gluster; do
        if ! grep -qx 'Before=slurmd.service' "$dir/out/$unit.mount" || [ ! -e "$dir/out/remote-fs.target.wants/$unit.mount" ]; then
            cat "$dir/fstab" "$dir/out/$unit.mount"
            return 1
        fi
    done
    for unit in remote-fs.target nvidia-persistenced nvidia-fabricmanager nvidia-dcgm; do
        grep -qE "^After=(.* )?$unit(\.service)?( |$)" "$D/systemd/slurmd.service.d/50-slurm-on-aws.conf" || { echo "not after $unit"; return 1; }
    done
}
if [ -x /lib/systemd/system-generators/systemd-fstab-generator ]; then
    check "after a reboot slurmd waits for shared file systems, fabric manager and DCGM" slurmd_waits_after_a_reboot
else
    skip "after a reboot slurmd waits for shared file systems" "systemd is not installed"
fi

# A metadata service on the loopback of a network of its own; users are told that they may not.
metadata_is_roots() {
    # shellcheck disable=SC2016 # it expands there
    unshare --net bash -c '
        ip link set lo up && ip addr add 169.254.169.254/32 dev lo || exit 1
        cd "$2" && python3 -m http.server --bind 169.254.169.254 80 >/dev/null 2>&1 &
        server=$!
        trap "kill $server" EXIT
        asks() { runuser -u "$1" -- curl -s -m 5 -o /dev/null http://169.254.169.254/; }
        for _ in $(seq 50); do asks root && break; sleep 0.1; done
        asks root && asks nobody || { echo "no server to try it on"; exit 1; }
        nft -f "$1" && nft -f "$1" && asks root && ! asks nobody && nft delete table inet slurm_on_aws_imds && asks nobody
    ' bash "$D/node/imds.nft" "$WORK"
}
if command -v nft >/dev/null && [ "$(id -u)" = 0 ]; then
    check "instance metadata is for root only, and the rule may be loaded again" metadata_is_roots
else
    skip "instance metadata is for root only" "nftables or root's rights are missing"
fi

scratch_of_disks() {
    unshare --mount --propagation private bash ./scratch_disks.sh "$D/node/scratch"
}
if command -v mkfs.btrfs >/dev/null && [ "$(id -u)" = 0 ] && [ -e /dev/loop-control ]; then
    check "scratch: disks are striped once, mounted again after a reboot, made anew when they are empty, left alone when they are somebody's" \
        scratch_of_disks
else
    skip "scratch is made of loop devices" "btrfs-progs, loop devices or root's rights are missing"
fi

# polkitd itself on a bus of its own, with nothing but the distribution's rules and ours.
polkit_rule() {
    unshare --mount --propagation private bash ./polkit_asks.sh "$D/systemd/50-slurm-on-aws.rules" "$WORK/polkit"
}
if [ -x /usr/lib/polkit-1/polkitd ] && getent passwd slurm >/dev/null && [ "$(id -u)" = 0 ]; then
    check "polkit lets slurm start slurmctld, refuse packets, and nothing else" polkit_rule
else
    skip "polkit lets slurm start slurmctld, refuse packets, and nothing else" "polkitd, the user slurm or root's rights are missing"
fi
