#!/bin/bash
# Runs in its own network, mount, host name and process namespaces: see run.sh.
# /run is a tmpfs here, so that munged has its standard socket, as in a configless cluster.
set -uo pipefail

passed() { echo "ok - files: $1"; }
failed() {
    echo "not ok - files: $1"
    [ $# -lt 2 ] || while IFS= read -r line; do echo "#   $line"; done <<<"$2"
    status=1
}
expect() { # NAME WANT GOT
    if [ "$2" = "$3" ]; then passed "$1"; else failed "$1" "$(diff <(echo "$2") <(echo "$3"))"; fi
}
die() {
    failed "the test world opens" "$1"
    exit 1
}
wait_until() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

open_world() {
    mount -t tmpfs none /run || die "no tmpfs"
    hostname ctl
    ip link set lo up
    # A network of two addresses: one is this "node's", one is the controller's.
    ip link add veth0 type veth peer name veth1 && ip link set veth1 up && ip link set veth0 up
    ip addr add 10.55.0.1/24 dev veth0
    ip addr add 10.55.0.50/24 dev veth0 || die "no addresses"
    mkdir -p /run/munge /run/state /run/etc/nodes
    head -c 128 /dev/urandom >/run/munge/key
    chmod 400 /run/munge/key
    chmod 755 /run/munge
    munged --force --key-file=/run/munge/key --socket=/run/munge/munge.socket.2 \
        --pid-file=/run/munge/pid --log-file=/run/munge/log --seed-file=/run/munge/seed 2>/dev/null ||
        die "munged"
    write_conf
    slurmctld -f /run/etc/slurm.conf || die "slurmctld"
    wait_until 20 ping_slurmctld || die "$(tail -5 /run/slurmctld.log)"
}

# shellcheck disable=SC2317 # called through wait_until
ping_slurmctld() { SLURM_CONF=/run/etc/slurm.conf scontrol ping 2>/dev/null | grep -q "is UP"; }

write_conf() {
    cat >/run/etc/slurm.conf <<'CONF'
# every layout that a node's line may have
ClusterName=Files
SlurmctldHost=ctl(10.55.0.1)
SlurmctldPort=26817
SlurmUser=root
AuthType=auth/munge
SlurmctldParameters=enable_configless
StateSaveLocation=/run/state
SlurmctldPidFile=/run/slurmctld.pid
SlurmctldLogFile=/run/slurmctld.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
TopologyPlugin=topology/tree
NodeName=DEFAULT CPUs=2 RealMemory=100
nodename=own-1 NODEADDR=10.55.1.1 Feature=a # a line of its own
NodeName=plain-[1-6] NodeAddr=10.55.2.[1-6] Weight=7
NodeName=pad-[08-11] NodeAddr=10.55.3.[8-11] NodeHostname=ip-[8-11] Port=[7008-7011]
NodeName=rack[1-2]n[1-2] \
    NodeAddr=10.55.4.[11-12,21-22] \
    Feature="x,y" Reason="see \#4" # two racks
NodeName=one-[1-3] NodeAddr=10.55.5.5 NodeHostname=host5 Port=[7001-7003]
Include nodes/%c.conf
PartitionName=all Nodes=ALL Default=YES
CONF
    cat >/run/etc/nodes/files.conf <<'CONF'
NodeName=inc-1,inc-[3-4] NodeAddr=10.55.6.1,10.55.6.[3-4]
Include deep.conf
CONF
    printf 'NodeName=deep-[1-2] NodeAddr=10.55.7.[1-2]' >/run/etc/nodes/deep.conf
    cat >/run/etc/topology.conf <<'CONF'
SwitchName=top Switches=left,right
SwitchName=left Nodes=own-1,plain-[1-6] # row 1
SwitchName=right \
    Nodes=pad-[08-11],rack[1-2]n[1-2],one-[1-3],inc-1,inc-[3-4],deep-[1-2]
CONF
}

# "name addr hostname port weight features" of all nodes, as slurmctld has them.
served() {
    scontrol -o show nodes | awk '{
        addr = host = port = weight = features = "-"
        for (i = NF; i > 0; i--) {
            if (sub(/^NodeName=/, "", $i)) name = $i
            else if (sub(/^NodeAddr=/, "", $i)) addr = $i
            else if (sub(/^NodeHostName=/, "", $i)) host = $i
            else if (sub(/^Port=/, "", $i)) port = $i
            else if (sub(/^Weight=/, "", $i)) weight = $i
            else if (sub(/^AvailableFeatures=/, "", $i)) features = $i
        }
        print name, addr, host, port, weight, features
    }'
}

registrar() {
    printf '%s\n' "$@" | "$RC_BIN/rc-registrar" --slurm-conf "${conf:-/run/etc/slurm.conf}" \
        --topology /run/etc/topology.conf
}

# Slurm and rc-registrar read the same names out of a host list.
check_host_lists() {
    local list names name conf=/run/lists.conf found want
    for list in 'a[1-3]' 'a[08-11],b' 'r[1-2]n[01-02]' 'a1, a2' 'a[1,001,2-3]' 'x-1-[9-11]' 'n[3]'; do
        echo "NodeName=\"$list\"" >$conf
        names=$(scontrol show hostnames "$(tr -d ' ' <<<"$list")")
        want="nodes=$(wc -w <<<"$names")"
        found=$(registrar "1 check" | grep -o 'nodes=.*')
        for name in $names; do
            want+=" node=$name"
            found+=$(registrar "1 show node=$name" | grep -o ' node=[^ ]*')
        done
        expect "host list $list" "$want" "$found"
    done
}

check_topology() {
    registrar "1 register node=plain-3 addr=10.98.0.3 switch=right" >/dev/null
    scontrol reconfigure
    expect "a node moves to another switch" "yes" "$(scontrol show topology right |
        grep -q 'Nodes=.*plain-3' && echo yes)"
    expect "and leaves its old one" "" "$(scontrol show topology left | grep -F 'plain-[1-6]')"
}

# Registers nodes one after the other; after each, exactly that node's address has changed.
check_layouts() {
    local before after want n=0 node
    for node in own-1 plain-1 plain-4 plain-6 pad-09 rack2n1 one-2 inc-3 deep-2; do
        n=$((n + 1))
        before=$(served)
        want=$(awk -v node="$node" -v addr="10.99.0.$n" \
            '$1 == node { $2 = addr } { print }' <<<"$before")
        registrar "1 register node=$node addr=10.99.0.$n" | grep -q "^1 ok changed=1" ||
            failed "$node is registered"
        scontrol reconfigure || failed "slurmctld takes slurm.conf after $node"
        after=$(served)
        expect "slurmctld has the new address of $node, and all else as before" "$want" "$after"
    done
    # A whole batch, then once more: nothing changes.
    registrar "1 register node=plain-[1-6] addr=10.98.0.[1-6]" >/dev/null
    scontrol reconfigure
    expect "a batch reaches slurmctld" "6" "$(served | grep -c ' 10\.98\.0\.')"
    local sum
    sum=$(md5sum /run/etc/slurm.conf /run/etc/nodes/*.conf)
    expect "the same batch again changes nothing" "1 ok changed=0 shared=" \
        "$(registrar "1 register node=plain-[1-6] addr=10.98.0.[1-6]" | tail -1)"
    expect "and no file" "$sum" "$(md5sum /run/etc/slurm.conf /run/etc/nodes/*.conf)"
    expect "slurmctld starts on the edited files" "UP" "$(restart_slurmctld)"
    expect "the log has no complaint about slurm.conf" "" \
        "$(grep -iE 'parse|duplicate|invalid|fatal' /run/slurmctld.log | grep -v MailProg)"
}

restart_slurmctld() {
    kill "$(cat /run/slurmctld.pid)"
    wait_until 20 test ! -e /proc/"$(cat /run/slurmctld.pid)"
    slurmctld -f /run/etc/slurm.conf
    wait_until 20 ping_slurmctld && echo UP
}

admit() { env -u SLURM_CONF "$RC_BIN/nodewatch" admit --conf-server 10.55.0.1:26817 "$@"; }

check_admission() {
    local said pid
    registrar "1 register node=own-1 addr=10.55.0.50" >/dev/null
    scontrol reconfigure
    said=$(admit --node own-1 --timeout 5s 2>&1)
    expect "the configuration names this host: admitted at once" "0" "$?$said"

    said=$(admit --node plain-2 --timeout 2s 2>&1)
    expect "it names another host: not admitted, and told why" "1 yes" \
        "$? $(grep -q 'NodeAddr of plain-2 is 10.98.0.2, which is not' <<<"$said" && echo yes)"
    said=$(admit --node nobody --timeout 1s 2>&1)
    expect "no such node: not admitted" "1" "$?"
    said=$(admit --node own-1 --addr 10.55.0.51 --timeout 1s 2>&1)
    expect "another address than the one given: not admitted" "1" "$?"

    admit --node plain-3 --timeout 60s 2>/run/waits.log &
    pid=$!
    sleep 1.5
    expect "it waits" "waiting" "$(kill -0 $pid && echo waiting)"
    registrar "1 register node=plain-3 addr=10.55.0.50" >/dev/null
    sleep 2
    expect "slurm.conf alone does not admit: slurmctld does not serve it yet" "waiting" \
        "$(kill -0 $pid && echo waiting)"
    scontrol reconfigure
    wait $pid
    expect "after the reconfigure it is admitted" "0" "$?"

    # The zombie: its name is given to another address; now it comes back.
    registrar "1 register node=plain-3 addr=10.55.0.77" >/dev/null
    scontrol reconfigure
    admit --node plain-3 --timeout 1s 2>/dev/null
    expect "the instance that was replaced is not admitted again" "1" "$?"
    env -u SLURM_CONF "$RC_BIN/nodewatch" admit --conf /run/etc/slurm.conf --node plain-3 \
        --timeout 0 2>/dev/null
    expect "nor by the file" "1" "$?"
    SLURM_CONF=/run/etc/slurm.conf "$RC_BIN/nodewatch" admit --node own-1 --timeout 5s
    expect "without --conf-server, Slurm's own configuration leads the way" "0" "$?"

    kill "$(cat /run/slurmctld.pid)"
    wait_until 20 test ! -e /proc/"$(cat /run/slurmctld.pid)"
    said=$(admit --node own-1 --timeout 1s 2>&1)
    expect "slurmctld is down: not admitted" "1" "$?"
}

status=0
open_world
export SLURM_CONF=/run/etc/slurm.conf
check_layouts
check_topology
check_host_lists
check_admission
kill "$(cat /run/munge/pid)"
exit $status
