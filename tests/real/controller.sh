#!/bin/bash
# The first process of a controller's instance: munged, slurmctld as its unit runs it, and
# reconcilerd. Network, mounts, host name, processes and uptime are its own; when it dies,
# everything in it dies, as with a machine.
# Environment: RC_NODE (its name), RC_INSTANCE_DIR, RC_WORLD (folder of the world),
# RC_BIN, RC_INDEX (place in slurm.conf), RC_RESTART (1: the unit restarts slurmctld).
set -u

mount -t tmpfs tmpfs /run
mkdir -p "$RC_INSTANCE_DIR/munge" "$RC_INSTANCE_DIR/log" /run/slurm-on-aws
chmod 711 "$RC_INSTANCE_DIR/munge"
cp "$RC_WORLD/munge/key" "$RC_INSTANCE_DIR/munge/key"
chmod 400 "$RC_INSTANCE_DIR/munge/key"
# One path in slurm.conf, a munged of its own behind it.
mount --bind "$RC_INSTANCE_DIR/munge" "$RC_WORLD/munge"
hostname "$RC_NODE"
echo "$RC_INSTANCE" >/run/instance-id
ulimit -c 0

munged_unit()
{
    while true; do
        [ -e "$RC_INSTANCE_DIR/munged.off" ] ||
            munged --foreground --force --key-file="$RC_WORLD/munge/key" \
                --socket="$RC_WORLD/munge/socket" --pid-file="$RC_WORLD/munge/pid" \
                --log-file="$RC_INSTANCE_DIR/log/munged.log" --seed-file="$RC_WORLD/munge/seed" \
                >/dev/null 2>&1
        sleep 0.1
    done
}

# ExecCondition=rc-controller-helper admit, then slurmctld; "systemctl start" is the file
# wanted; a death by a signal restarts it when Restart=on-failure is asked for.
slurmctld_unit()
{
    local status
    [ "$RC_INDEX" -eq 0 ] || touch /run/slurmctld.wanted # enabled at boot
    while true; do
        sleep 0.05
        [ -e /run/slurmctld.wanted ] || continue
        rm -f /run/slurmctld.wanted
        while "$RC_BIN/rc-controller-helper" admit --index "$RC_INDEX" \
            --mark "$RC_INSTANCE_DIR/slurmctld.fenced" --allow /run/slurm-on-aws/slurmctld.allowed \
            2>>"$RC_INSTANCE_DIR/log/admit.log"; do
            slurmctld -D >>"$RC_INSTANCE_DIR/log/slurmctld.out" 2>&1
            status=$?
            { [ "$RC_RESTART" = 1 ] && [ "$status" -ne 0 ]; } || break
            sleep 0.2
        done
    done
}

reconcilerd_unit()
{
    while true; do
        [ -e "$RC_INSTANCE_DIR/daemon.off" ] ||
            "$RC_BIN/reconcilerd" --config "$RC_INSTANCE_DIR/reconcilerd.json" \
                >>"$RC_INSTANCE_DIR/log/reconcilerd.err" 2>&1
        sleep 0.2
    done
}

munged_unit &
while [ ! -S "$RC_WORLD/munge/socket" ]; do sleep 0.02; done
slurmctld_unit &
reconcilerd_unit &
wait
