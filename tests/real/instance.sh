#!/bin/bash
# The first process of an instance: network, mounts, host name, processes and
# uptime are its own. When it dies, everything in it dies, as with a machine.
# Environment: RC_NODE, RC_INSTANCE_DIR, RC_ADMIT (the gate), SLURM_CONF.
set -u

mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/slurmd
# sshd refuses accounts that are locked with "!", which root is on some systems.
sed 's/^root:[^:]*:/root:*:/' /etc/shadow >"$RC_INSTANCE_DIR/shadow"
chmod 600 "$RC_INSTANCE_DIR/shadow"
mount --bind "$RC_INSTANCE_DIR/shadow" /etc/shadow
hostname "$RC_NODE"

/usr/sbin/sshd -f "$RC_INSTANCE_DIR/sshd_config" -E "$RC_INSTANCE_DIR/sshd.log"

# As the unit of slurmd does: the gate first, and again until it opens.
while true; do
    if $RC_ADMIT >>"$RC_INSTANCE_DIR/admit.log" 2>&1; then
        slurmd -D -N "$RC_NODE" -L "$RC_INSTANCE_DIR/slurmd.log" >/dev/null 2>&1
    fi
    sleep 0.5
done
