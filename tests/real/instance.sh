#!/bin/bash
# The first process of an instance: network, mounts, host name, processes and
# uptime are its own. When it dies, everything in it dies, as with a machine.
# Its hardware and kernel log are files of hardware.py, put in their places.
# Environment: RC_NODE, RC_INSTANCE_DIR, RC_ADMIT (the gate), RC_AGENT (not empty: the agent runs),
# RC_NODEWATCH_PROGRAM, RC_TOOLS, SLURM_CONF.
set -u

mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/slurmd /run/node
mount --bind "$RC_INSTANCE_DIR/node" /run/node
mount --bind /sys/devices/system /run/node/sys/devices/system
mount --rbind /sys/fs/cgroup /run/node/sys/fs/cgroup
mount --rbind /run/node/sys /sys
mount --bind /run/node/kmsg /dev/kmsg
mount --bind /run/node/boot_id /proc/sys/kernel/random/boot_id
# sshd refuses accounts that are locked with "!", which root is on some systems.
sed 's/^root:[^:]*:/root:*:/' /etc/shadow >"$RC_INSTANCE_DIR/shadow"
chmod 600 "$RC_INSTANCE_DIR/shadow"
mount --bind "$RC_INSTANCE_DIR/shadow" /etc/shadow
hostname "$RC_NODE"

/usr/sbin/sshd -f "$RC_INSTANCE_DIR/sshd_config" -E "$RC_INSTANCE_DIR/sshd.log"

# Before slurmd, as its unit does: what it hears until then counts too.
if [ -n "$RC_AGENT" ]; then
    while true; do
        PATH=$RC_TOOLS:$PATH nodewatch watch --node "$RC_NODE" --gpus 8 --efas 4 \
            --kmsg /run/node/kmsg.pipe --helper "$(dirname "$RC_NODEWATCH_PROGRAM")/rc-slurm-helper" \
            2>>"$RC_INSTANCE_DIR/nodewatch.log"
        sleep 0.5
    done &
fi

# As the unit of slurmd does: the gate first, and again until it opens.
while true; do
    if $RC_ADMIT >>"$RC_INSTANCE_DIR/admit.log" 2>&1; then
        slurmd -D -N "$RC_NODE" -L "$RC_INSTANCE_DIR/slurmd.log" >/dev/null 2>&1
    fi
    sleep 0.5
done
