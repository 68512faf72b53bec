# check_host.sh - sourced by run.sh: what runs on the hosts: units, alert rules, dashboard,
# scripts, roles, the rendered Slurm configuration, jobs.
# shellcheck shell=bash disable=SC2154

D=$ROOT/deploy

# --- units ----------------------------------------------------------------------------------

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

# health-check with programs of ours in the place of nodewatch and scontrol; prints its update of the node.
health_check() {
    local status=$1 shown=$2 found=${3:-fault   kernel-log   xid:79 0000:10:1c: lost} dir=$WORK/health
    mkdir -p "$dir"
    # shellcheck disable=SC2016 # the words are the programs' own
    printf '#!/bin/sh\n[ "$*" = "check --prolog --news --since 90s" ] || exit 9\necho "ok      pcie-aer"\necho "%s"\nexit %s\n' "$found" "$status" >"$dir/nodewatch"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\ncase $1 in -o) echo "%s";; *) echo "$*" >>"%s/updates";; esac\n' "$shown" "$dir" >"$dir/scontrol"
    chmod +x "$dir/nodewatch" "$dir/scontrol"
    sed "s#/usr/sbin/nodewatch#$dir/nodewatch#" "$D/node/health-check" >"$dir/health-check"
    : >"$dir/updates"
    PATH=$dir:$PATH bash "$dir/health-check" || return 1
    cat "$dir/updates"
}
health_check_drains_the_guilty_only() {
    health_check 1 "NodeName=n State=IDLE" | grep -qE 'state=drain reason=rc:0 xid:79 0000:10:1c boot=[0-9a-f]{8}$' &&
        [ -z "$(health_check 0 "NodeName=n State=IDLE")" ] && [ -z "$(health_check 2 "NodeName=n State=IDLE")" ] &&
        [ -z "$(health_check 1 "NodeName=n State=IDLE+DRAIN Reason=disk swap, ask Ann")" ] &&
        [ -z "$(health_check 1 "NodeName=n State=IDLE Reason=disk swap, ask Ann")" ] &&
        [ -z "$(health_check 1 "NodeName=n State=IDLE+DRAIN Reason=rc:4 gpu-lost")" ] &&
        [ -z "$(health_check 1 "")" ] &&
        health_check 1 "NodeName=n State=IDLE" "fault   gpu-devices  gpu:missing: 7 of 8 GPUs on the bus" |
        grep -qE 'reason=rc:0 gpu:missing boot=[0-9a-f]{8}$' &&
        health_check 1 "NodeName=n State=IDLE" "fault   readonly     fs:readonly /a b: /dev/x is mounted: ro" |
        grep -qE 'reason=rc:0 fs:readonly /a_b boot=[0-9a-f]{8}$' &&
        health_check 1 "NodeName=n State=MIXED Partitions=q Reason=rc:4 gpu-lost [root@2026-11-26T20:00:00]" |
        grep -q 'state=drain reason=rc:0 xid:79'
}
check "health-check drains a guilty node, asks for new kernel messages only, and keeps a reason that stands" \
    health_check_drains_the_guilty_only

# --- metrics --------------------------------------------------------------------------------

if command -v promtool >/dev/null; then
    check "promtool accepts the alert rules" promtool check rules "$D/prometheus/slurm-on-aws.rules.yml"
    check "the alerts fire when they should" promtool test rules "$D/prometheus/slurm-on-aws.test.yml"
else
    skip "promtool accepts the alert rules" "promtool is not installed"
fi
known_metrics() {
    local name status=0
    grep -hoE 'reconcilerd_[a-z0-9_]+' "$D"/prometheus/*.yml "$D"/grafana/*.json \
        "$D"/terraform/modules/alarms/main.tf |
        sort -u >"$WORK/names"
    while read -r name; do
        grep -q "\"${name%_bucket}\"" "$ROOT/reconciler/io/daemon/report.c" ||
            { echo "$name: the daemon has no such metric" && status=1; }
    done <"$WORK/names"
    return "$status"
}
check "rules, dashboard and alarms name metrics that the daemon has" known_metrics
dashboard_fits() {
    "$CACHE/venv/bin/check-jsonschema" --check-metaschema dashboard.schema.json &&
        "$CACHE/venv/bin/check-jsonschema" --schemafile dashboard.schema.json "$D/grafana/slurm-on-aws.json" &&
        python3 - "$D/grafana/slurm-on-aws.json" <<'PYTHON'
import json, sys
panels = json.load(open(sys.argv[1]))["panels"]
taken, wrong = {}, len({p["id"] for p in panels}) != len(panels)
for p in panels:
    g = p["gridPos"]
    for cell in ((x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])):
        if cell[0] > 23 or taken.setdefault(cell, p["title"]) != p["title"]:
            wrong = f'{p["title"]} lies over {taken[cell]}'
sys.exit(wrong)
PYTHON
}
check "the dashboard fits its schema, and no panel lies over another" dashboard_fits
# What Prometheus itself would say of each expression.
dashboard_asks_right() {
    python3 - "$D/grafana/slurm-on-aws.json" >"$WORK/dashboard.rules.yml" <<'PYTHON'
import json, sys
exprs = [t["expr"] for p in json.load(open(sys.argv[1]))["panels"] for t in p["targets"]]
rules = [{"record": f"panel:{i}", "expr": e} for i, e in enumerate(exprs)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
    promtool check rules "$WORK/dashboard.rules.yml"
}
if command -v promtool >/dev/null; then
    check "promtool accepts every expression of the dashboard" dashboard_asks_right
fi
check "the dashboard is what its source makes" python3 "$D/grafana/make_dashboard.py" --check

# --- scripts and jobs -----------------------------------------------------------------------

mapfile -t scripts < <(find "$D" -name '*.sh' -o -name '*.slurm' -o -path '*/node/*' -type f |
    grep -vE '\.terraform/|/sudoers$|\.(nft|conf)$')
check "shellcheck has nothing to say about scripts and jobs" shellcheck -e SC1091 "${scripts[@]}"
check "nft accepts the rules of the instance metadata" nft -c -f "$D/node/imds.nft"

# As unattended-upgrades and needrestart read them: apt's own parser and Perl, and whether a name begins so.
updates_leave_alone() {
    APT_CONFIG=$D/node/apt-updates.conf apt-config dump Unattended-Upgrade::Package-Blacklist >"$WORK/kept" || return 1
    python3 - "$WORK/kept" <<'PYTHON' || return 1
import re, sys
kept = re.findall(r'::Package-Blacklist:: "(.+)";', open(sys.argv[1]).read())
def stays(name): return any(re.match(k, name) for k in kept)
want = ["linux-image-6.8.0-1021-aws", "libnvidia-compute-570", "nvidia-fabricmanager-570", "cuda-drivers-570", "slurmd",
        "libslurm40", "libmunge2", "glusterfs-server", "efa"]
free = ["openssl", "libssl3t64", "openssh-server", "libc6", "sudo", "chrony"]
wrong = [n for n in want if not stays(n)] + [n for n in free if stays(n)]
print(kept, wrong)
sys.exit(bool(wrong))
PYTHON
    # shellcheck disable=SC2016 # Perl's own words
    perl -we 'our %nrconf = (override_rc => {qr(^dbus) => 0}); my ($file) = @ARGV; my $done = do $file; die $@ || $! unless defined $done;
        sub restarted { my ($rc) = @_; for my $re (keys %{$nrconf{override_rc}}) { return 0 if $rc =~ /$re/ } return 1 }
        for my $unit (qw(slurmctld slurmd munge nvidia-fabricmanager glusterd)) { die "$unit is restarted\n" if restarted("$unit.service") }
        for my $unit (qw(ssh chrony)) { die "$unit is not restarted\n" unless restarted("$unit.service") }' "$D/node/needrestart.conf"
}
if command -v apt-config >/dev/null && command -v perl >/dev/null; then
    check "updates that come by themselves leave driver, kernel and Slurm alone, and renew the rest" updates_leave_alone
else
    skip "updates that come by themselves leave driver, kernel and Slurm alone" "apt or Perl is missing"
fi

follows_slurm_conf() {
    local dir=$WORK/names-of
    mkdir -p "$dir"
    printf '%s\n' 'ClusterName=a' '#SlurmctldHost=ctl-1(9.9.9.9)' 'SlurmctldHost=ctl-1(10.20.16.5)' \
        'SlurmctldHost=ctl-2(10.20.32.9) # launched anew' >"$dir/slurm.conf"
    printf '%s\n' '127.0.0.1 localhost' '10.9.9.9 ctl-2 other' '# BEGIN slurm-on-aws: fixed nodes' '10.20.16.5 ctl-1' \
        '10.20.32.5 ctl-2' '10.20.16.6 nfs-1' '# END slurm-on-aws: fixed nodes' '1.1.1.1 ctl-2' >"$dir/hosts"
    sed 's/^10\.20\.32\.5 ctl-2$/10.20.32.9 ctl-2/' "$dir/hosts" >"$dir/want"
    bash "$D/node/controller-names" "$dir/slurm.conf" "$dir/hosts" && diff "$dir/want" "$dir/hosts" || return 1
    touch -d @1 "$dir/hosts"
    # Nothing to do, nothing to ask: the file is left alone.
    bash "$D/node/controller-names" "$dir/slurm.conf" "$dir/hosts" &&
        bash "$D/node/controller-names" "$dir/none" "$dir/hosts" && [ "$(stat -c %Y "$dir/hosts")" = 1 ] &&
        [ "$(find "$dir" | wc -l)" = 4 ]
}
check "the names of controllers follow slurm.conf, in our block only" follows_slurm_conf

if command -v visudo >/dev/null; then
    check "visudo accepts the rule of the daemon's user" visudo -cf "$D/node/sudoers"
else
    skip "visudo accepts the rule of the daemon's user" "sudo is not installed"
fi

# joins KIND ANSWER: what the join script does when S3 answers its first question so (200, 404, refused...).
joins() {
    local kind=$1 answer=$2 dir=$WORK/joins port
    mkdir -p "$dir/bin"
    : >"$dir/join.env"
    # shellcheck disable=SC2016 # the words are the stand-in's own
    printf '#!/bin/bash\nargs=("${@/https:*/http://127.0.0.1:$PORT/$ANSWER}")\nexec %s "${args[@]}" --retry 1\n' \
        "$(command -v curl)" >"$dir/bin/curl"
    chmod +x "$dir/bin/curl"
    port=$(cat "$dir/port")
    [ "$answer" = refused ] && port=1
    {
        sed "s|^readonly PUBLISHED=.*|readonly PUBLISHED=$dir|" "$D/terraform/modules/launch_templates/files/join-common.sh"
        sed '/^main "\$@"$/d' "$D/terraform/modules/launch_templates/files/join-$kind.sh"
        cat <<'SCRIPT'
sign_in() { CREDENTIALS='{"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c"}'; }
node_name() { echo ctl-1; }
own_block() { echo "goes on" && exit 0; }
write_names() { own_block; }
main
SCRIPT
    } >"$dir/join"
    PATH="$dir/bin:$PATH" PORT=$port ANSWER=$answer RC_JOIN_ENV=$dir/join.env RC_REGION=us-east-1 \
        RC_PACKAGES_BUCKET=b RC_CONTROLLERS=ctl-1 bash "$dir/join" >"$dir/out" 2>&1
    echo "$?: $(tail -n 1 "$dir/out")"
}
only_what_is_absent_is_absent() {
    local kind server wrong=0
    mkdir -p "$WORK/joins"
    rm -f "$WORK/joins/port"
    python3 - "$WORK/joins/port" <<'PYTHON' &
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PYTHON
    server=$!
    for _ in $(seq 100); do [ -e "$WORK/joins/port" ] && break; sleep 0.1; done
    expect() {
        local said
        said=$(joins "$kind" "$1")
        # shellcheck disable=SC2254 # a pattern
        case $said in $2) ;; *) echo "$kind, $1: $said" && wrong=1 ;; esac
    }
    for kind in node controller; do
        expect 200 '0: goes on'
        expect 403 '0: *nothing is published*'
        expect 404 '0: *nothing is published*'
        expect 500 '22: *HTTP 500'
        expect refused '7: *HTTP 000'
    done
    kill "$server"
    wait "$server" 2>/dev/null
    return "$wrong"
}
check "a fresh instance takes only what is absent for absent, any other answer of S3 for a failure to try again" \
    only_what_is_absent_is_absent

# A package of that version, published; the image has the other one, or none.
joins_with() {
    local published=$1 image=$2 dir=$WORK/join-deb
    rm -rf "$dir"
    mkdir -p "$dir/tree/DEBIAN" "$dir/bin"
    printf 'Package: slurm-on-aws-node\nVersion: %s\nArchitecture: all\nMaintainer: t <t@localhost>\nDescription: t\n' \
        "$published" >"$dir/tree/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$dir/tree" "$dir/slurm-on-aws-node.deb" >/dev/null || return 1
    printf '#!/bin/sh\n[ -n "%s" ] && printf %%s "%s"\n' "$image" "$image" >"$dir/bin/dpkg-query"
    chmod +x "$dir/bin/dpkg-query"
    PATH="$dir/bin:$PATH" PUBLISHED=$dir bash -euc '
        fetch() { :; }
        install_quietly() { echo "installs ${1##*/}"; }
        eval "$(sed -n "/^install_node_package()/,/^}/p" "$1")"
        install_node_package' bash "$D/terraform/modules/launch_templates/files/join-node.sh"
}
newest_package_wins() {
    [ "$(joins_with 0.2.0 '')" = "installs slurm-on-aws-node.deb" ] &&
        [ "$(joins_with 0.2.0 0.1.9)" = "installs slurm-on-aws-node.deb" ] &&
        [ -z "$(joins_with 0.2.0 0.2.0)" ] && [ -z "$(joins_with 0.2.0 0.10.0)" ]
}
check "a fresh node has the cluster's package, whatever its image brings" newest_package_wins

prolog_without_gpu() {
    env -i PATH=/usr/bin:/bin SLURM_JOB_ID=7 bash "$D/node/prolog" &&
        env -i PATH=/usr/bin:/bin SLURM_JOB_ID=7 bash "$D/node/epilog"
}
check "prolog and epilog are silent where there is no GPU" prolog_without_gpu

checkpoint_goes_on() {
    local job=$WORK/job
    mkdir -p "$job"
    sed "s|/shared_gluster/date|$job|" "$D/jobs/checkpoint.slurm" >"$job/run"
    STEPS=100000 STEP_SECONDS=0.01 SLURM_JOB_ID=1 bash "$job/run" >"$job/out" 2>&1 &
    local pid=$!
    sleep 1.5
    kill -CONT "$pid"
    sleep 0.5
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    grep -q 'saved at step' "$job/out" || return 1
    STEPS=1 SLURM_JOB_ID=1 bash "$job/run" >"$job/again" 2>&1 &&
        grep -qE 'starts at step [1-9]' "$job/again"
}
check "the checkpointing job saves when told, and goes on from there" checkpoint_goes_on

# --- roles ----------------------------------------------------------------------------------

ansible_setup() {
    made ansible venv ansible ansible==12.2.0
}
check "Ansible is there" ansible_setup
A=$WORK/ansible-tree/deploy/ansible
mkdir -p "$WORK/ansible-tree/deploy" "$WORK/ansible-tree/policies"
cp -r "$D/ansible" "$WORK/ansible-tree/deploy/"
cp "$ROOT/policies/p4d.json" "$WORK/ansible-tree/policies/"
cp "$RENDERED/inventory.ini" "$A/inventory.ini"
cp "$RENDERED/terraform.json" "$A/group_vars/all/terraform.json"
cp "$RENDERED/ansible-reconcilerd.json" "$A/group_vars/all/reconcilerd.json"

ansible() {
    (cd "$A" && env -u ANSIBLE_CONFIG ANSIBLE_CONFIG="$A/ansible.cfg" ANSIBLE_HOME="$WORK/ansible-home" \
        PATH="$CACHE/ansible/bin:$PATH" "$@")
}
for play in "$A"/*.yml; do
    check "$(basename "$play") is sound" ansible ansible-playbook --syntax-check "$(basename "$play")"
done
# The syntax check of a play does not open the files that a role includes.
every_file_parses() {
    "$CACHE/ansible/bin/python" -c 'import pathlib, sys, yaml
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.yml")):
    try:
        yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        sys.exit(f"{path}: {error}")' "$A"
}
check "every file of the roles parses" every_file_parses
topology_by_aws() {
    python3 - "$D/ansible/roles/slurm/files/cluster-aws" "$WORK/topology.conf" <<'PYTHON'
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("cluster_aws", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cluster_aws", loader))
loader.exec_module(module)
import contextlib, io, urllib.error, xml.etree.ElementTree as xml
def items(name, rows):
    return f"<{name}>" + "".join(f"<item>{row}</item>" for row in rows) + f"</{name}>"
def instance(i, node, kind, launched=1):
    return items("instancesSet", [f"<instanceId>{i}</instanceId><instanceType>{kind}</instanceType>"
        f"<launchTime>2026-01-0{launched}T00:00:00.000Z</launchTime>"
        + items("tagSet", [f"<key>slurm-on-aws:node</key><value>{node}</value>"])])
there = [instance("i-1", "gpu-1", "p4d"), instance("i-2", "gpu-2", "p4d"), instance("i-3", "gpu-3", "p4d", 2),
         instance("i-0", "gpu-3", "p4d"), instance("i-4", "cpu-1", "c7a"), instance("i-5", "ctl-1", "t3")]
leaf = {"i-0": "nn-b", "i-1": "nn-a", "i-2": "nn-b", "i-3": "nn-a"}
asked = []
def ec2(region, action, **parameters):
    if action == "DescribeInstances":
        yield xml.fromstring("<r>" + items("reservationSet", there) + "</r>")
        return
    ids = [v for k, v in parameters.items() if k.startswith("InstanceId.")]
    asked.append(ids)
    if not set(ids) <= set(leaf):  # as AWS does when one of them is of a type that it does not tell of
        raise urllib.error.HTTPError("https://ec2", 400, "UnsupportedOperation", {}, io.BytesIO())
    yield xml.fromstring("<r>" + items("instanceSet", [f"<instanceId>{i}</instanceId>" + items(
        "networkNodeSet", ["nn-top", "nn-mid", leaf[i]]) for i in ids]) + "</r>")
module.ec2 = ec2
def told(nodes, path="/nonexistent"):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        module.topology("us-east-1", "a", nodes, path)
    return out.getvalue()
nodes, wrong = "gpu-3,gpu-2,gpu-1,cpu-1,cpu-9", []
want = ["SwitchName=nn-a Nodes=gpu-1,gpu-3", "SwitchName=nn-b Nodes=gpu-2", "SwitchName=unknown Nodes=cpu-1,cpu-9",
        "SwitchName=nn-mid Switches=nn-a,nn-b", "SwitchName=nn-top Switches=nn-mid",
        "SwitchName=core Switches=nn-top,unknown"]
lines = told(nodes).splitlines()
wrong += [] if lines[1:] == want and lines[0][0] == "#" else ["AWS tells:", *lines]
wrong += [] if asked == [["i-1", "i-2", "i-3", "i-4"], ["i-4"], ["i-1", "i-2", "i-3"]] else [f"asked: {asked}"]
# Nothing told: a file that names every node stays, another one is no answer.
leaf.clear()
old = sys.argv[2]
with open(old, "w") as f:
    f.write("# of gpu-9\nSwitchName=a Nodes=gpu-[1-2],gpu-[3,08-10] LinkSpeed=1\n switchname=b nodes=cpu-1,cpu-9\n")
wrong += [] if told(nodes, old) == open(old).read() and told("gpu-10,gpu-08", old) else ["a whole file does not stay"]
wrong += [] if told("gpu-1,gpu-4", old) == told(nodes) == told("gpu-9", old) == "" else ["a file without a node stays"]
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
}
check "topology.conf is made from DescribeInstanceTopology's network nodes, and stays where AWS does not tell" topology_by_aws
password_is_followed() {
    python3 - "$D/ansible/roles/slurm/files/cluster-aws" <<'PYTHON'
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("cluster_aws", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cluster_aws", loader))
loader.exec_module(module)
conf = "# by hand\nStorageUser=slurm\nStoragePass=old=1\n#StoragePass=x\nStorageLoc=slurm_acct_db\n"
want = "# by hand\nStorageUser=slurm\nStoragePass=n\\\\1\\#ew=2\n#StoragePass=x\nStorageLoc=slurm_acct_db\n"
sys.exit(module.with_account(conf, "slurm", "n\\1#ew=2") != want or module.with_account(want, "slurm", "n\\1#ew=2") != want)
PYTHON
}
check "slurmdbd.conf gets the database's new password, and nothing else" password_is_followed
names_every_node() {
    ansible ansible-inventory --list >"$WORK/inventory.json" &&
        python3 -c 'import json, sys
groups = json.load(open(sys.argv[1]))
sys.exit(not (groups["gpu"]["hosts"] == ["gpu-1", "gpu-2"]
              and set(groups["compute"]["children"]) == {"cpu", "gpu"}))' "$WORK/inventory.json"
}
check "Ansible reads Terraform's inventory" names_every_node

# The templates of the slurm role as the play would write them.
render() {
    cat >"$A/render.yml" <<'PLAY'
- name: Render
  hosts: ctl-1
  connection: local
  gather_facts: false
  vars:
    slurm_nodes_now: { content: "{{ rendered_before | b64encode }}" }
    slurm_database_ca: /ca.pem
    slurm_database: { stdout_lines: [slurm, secret] }
  tasks:
    - name: Templates
      ansible.builtin.template:
        src: "roles/slurm/templates/{{ item }}.j2"
        dest: "{{ rendered_out }}/{{ item }}"
        mode: "0644"
      loop: [slurm.conf, gres.conf, cgroup.conf, topology.conf, slurmdbd.conf]
PLAY
    mkdir -p "$WORK/slurm"
    ansible ansible-playbook render.yml -e "rendered_out=$WORK/slurm ansible_become=false" \
        -e "{\"rendered_before\": \"$1\", \"slurm_admit\": {\"stat\": {\"exists\": ${2:-false}}}, \"ansible_python_interpreter\": \"$(command -v python3)\"}"
}
check "the Slurm configuration renders" render ""

# The place of a controller in SlurmctldHost, in the daemon's configuration and in its gate is one.
slurmctld_gates() {
    cat >"$A/gates.yml" <<'PLAY'
- name: Render
  hosts: controllers
  connection: local
  gather_facts: false
  tasks:
    - name: Gate
      ansible.builtin.template:
        src: roles/reconciler/templates/admit.conf.j2
        dest: "{{ rendered_out }}/admit-{{ inventory_hostname }}.conf"
        mode: "0644"
PLAY
    ansible ansible-playbook gates.yml -e "rendered_out=$WORK/slurm ansible_become=false" \
        -e "ansible_python_interpreter=$(command -v python3)" || return 1
    python3 - "$WORK/slurm" "$RENDERED/reconcilerd.json" <<'PYTHON'
import json, pathlib, re, sys
folder = pathlib.Path(sys.argv[1])
hosts = re.findall(r"^SlurmctldHost=([^(]+)", (folder / "slurm.conf").read_text(), re.M)
told = [c["host"] for c in json.loads(pathlib.Path(sys.argv[2]).read_text())["controllers"]["hosts"]]
gates = [re.search(r"^ExecCondition=\S+/rc-controller-helper admit --index (\d)$",
                   (folder / f"admit-{host}.conf").read_text(), re.M).group(1) for host in hosts]
sys.exit(f"{hosts} {told} {gates}" if (hosts, gates) != (told, ["0", "1"]) else 0)
PYTHON
}
check "slurmctld's gate, slurm.conf and the daemon count the controllers alike" slurmctld_gates

# scontrol reads the whole file before it asks anybody; nobody is there to answer.
slurm_accepts() {
    local conf=$WORK/slurm
    sed -E -e 's|^(SlurmctldHost=[^(]*)\(.*|\1(127.0.0.1)|' -e 's|^Auth.*|AuthType=auth/none|' \
        -e 's|^MessageTimeout=.*|MessageTimeout=2|' "$conf/slurm.conf" >"$conf/parsed.conf"
    echo "SlurmctldPort=1" >>"$conf/parsed.conf"
    SLURM_CONF=$conf/parsed.conf timeout 60 scontrol ping >"$WORK/said" 2>&1
    cat "$WORK/said"
    grep -q 'is DOWN' "$WORK/said" && ! grep -qiE 'pars(e|ing) error|fatal|unrecognized|invalid' "$WORK/said" &&
        grep -q '^SlurmctldTimeout=65533$' "$conf/slurm.conf"
}
if command -v scontrol >/dev/null; then
    check "Slurm's own parser takes the rendered slurm.conf" slurm_accepts
else
    skip "Slurm's own parser takes the rendered slurm.conf" "slurm-client is not installed"
fi

registered_address_stays() {
    render "NodeName=gpu-1 NodeAddr=10.20.16.77 CPUs=96" &&
        grep -q '^NodeName=gpu-1 NodeAddr=10.20.16.77 ' "$WORK/slurm/slurm.conf" &&
        grep -qE '^NodeName=gpu-2 NodeAddr=10\.20\.[0-9.]+ .*Gres=gpu:a100:8' "$WORK/slurm/slurm.conf"
}
check "an address that the daemon has registered survives the play" registered_address_stays

# Of a controller too, once the daemon decides where slurmctld runs; before, the inventory is right.
controllers_address_stays() {
    render "SlurmctldHost=ctl-2(10.20.32.77)" true &&
        grep -qx 'SlurmctldHost=ctl-2(10.20.32.77)' "$WORK/slurm/slurm.conf" &&
        grep -qE '^SlurmctldHost=ctl-1\(10\.20\.[0-9.]+\)$' "$WORK/slurm/slurm.conf" &&
        render "SlurmctldHost=ctl-2(10.20.32.77)" false &&
        ! grep -q '10\.20\.32\.77' "$WORK/slurm/slurm.conf"
}
check "the address of a controller that was launched anew survives it too" controllers_address_stays

# A node has no instance for a while: Terraform leaves it out of the inventory, slurm.conf must not change.
a_node_away_changes_nothing() {
    local status=0
    render "" && cp "$WORK/slurm/slurm.conf" "$WORK/slurm/all.conf" && cp "$A/inventory.ini" "$WORK/inventory.ini" || return 1
    sed -i '/^gpu-2 /d' "$A/inventory.ini"
    render "NodeName=gpu-2 NodeAddr=$(sed -nE 's/^NodeName=gpu-2 NodeAddr=(\S+) .*/\1/p' "$WORK/slurm/all.conf") CPUs=96" &&
        grep -q '^TopologyPlugin=' "$WORK/slurm/all.conf" && diff "$WORK/slurm/all.conf" "$WORK/slurm/slurm.conf" || status=1
    cp "$WORK/inventory.ini" "$A/inventory.ini"
    return "$status"
}
check "slurm.conf is the same while a GPU node is being replaced" a_node_away_changes_nothing

# reconfigures VERSION NODES: the handler with a scontrol of that version whose slurmctld has these nodes
# ("" = does not run); slurm.conf has gpu-1 and gpu-2. Prints what it was asked for.
reconfigures() {
    local dir=$WORK/reconfigures
    mkdir -p "$dir/bin" "$dir/etc"
    printf 'NodeName=DEFAULT CPUs=1\nNodeName=gpu-[1-2] NodeAddr=a\n' >"$dir/etc/slurm.conf"
    cat >"$dir/bin/scontrol" <<SCONTROL
#!/bin/sh
case \$* in
--version) echo "$1" ;;
"show hostnames gpu-[1-2]") printf 'gpu-1\ngpu-2\n' ;;
"--oneliner show nodes") [ -n "$2" ] && printf 'NodeName=%s Arch=x86_64\n' $2 ;;
reconfigure) echo reconfigure >>"$dir/asked" ;;
*) exit 9 ;;
esac
SCONTROL
    chmod +x "$dir/bin/scontrol"
    : >"$dir/asked"
    cat >"$A/reconfigures.yml" <<'PLAY'
- name: Change the configuration
  hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [roles/slurm/defaults/main.yml]
  tasks:
    - name: Change it
      ansible.builtin.command: "true"
      notify: Reconfigure Slurm
  handlers:
    - name: The role's
      ansible.builtin.import_tasks: roles/slurm/handlers/main.yml
PLAY
    (PATH=$dir/bin:$PATH && ansible ansible-playbook reconfigures.yml -e "slurm_state=$dir ansible_become=false" \
        -e "ansible_python_interpreter=$(command -v python3)") >"$dir/out" 2>&1 || { cat "$dir/out" && return 1; }
    tr -s '[:space:]' ' ' <"$dir/out" | grep -q 'cannot take them' && echo told
    cat "$dir/asked"
}
old_slurmctld_gets_no_other_nodes() {
    local old="slurm-wlm 22.05.8" row want
    for row in "$old:gpu-1 gpu-2:reconfigure" "$old:gpu-1:told" "$old:gpu-1 gpu-2 gpu-3:told" "$old::" \
        "slurm 23.02.7:gpu-1:told" "slurm-wlm 23.11.4:gpu-1:reconfigure" "slurm 24.11.5:gpu-1:reconfigure"; do
        want=${row##*:} row=${row%:*}
        if [ "$(reconfigures "${row%:*}" "${row#*:}")" != "$want" ]; then
            echo "$row"
            cat "$WORK/reconfigures/out"
            return 1
        fi
    done
}
check "a slurmctld before 23.11 is not told to take another number of nodes, which ends it" old_slurmctld_gets_no_other_nodes

# --- packages -------------------------------------------------------------------------------

build_packages() {
    nice "$D/debian/build.sh" "$WORK/packages"
}
controller_has_everything() {
    dpkg-deb -c "$WORK"/packages/slurm-on-aws-controller_*.deb >"$WORK/list"
    for file in usr/sbin/reconcilerd usr/bin/reconcilectl usr/libexec/slurm-on-aws/rc-slurm-helper \
        usr/libexec/slurm-on-aws/rc-registrar usr/libexec/slurm-on-aws/rc-controller-helper \
        usr/share/polkit-1/rules.d/50-slurm-on-aws.rules lib/systemd/system/reconcilerd.service \
        lib/systemd/system/slurm-on-aws-reject@.service \
        usr/share/slurm-on-aws/policies/p4d.json \
        etc/apt/apt.conf.d/52slurm-on-aws etc/needrestart/conf.d/slurm-on-aws.conf; do
        grep -qE " \./(usr/)?$file\$" "$WORK/list" || { echo "missing: $file" && return 1; }
    done
}
node_has_everything() {
    dpkg-deb -c "$WORK"/packages/slurm-on-aws-node_*.deb >"$WORK/list"
    for file in usr/sbin/nodewatch usr/libexec/slurm-on-aws/prolog usr/libexec/slurm-on-aws/epilog \
        usr/libexec/slurm-on-aws/rc-slurm-helper lib/systemd/system/nodewatch.service \
        usr/share/slurm-on-aws/imds.nft lib/systemd/system/slurm-on-aws-imds.service usr/libexec/slurm-on-aws/scratch lib/systemd/system/slurm-on-aws-scratch.service \
        lib/systemd/system/slurmd.service.d/50-slurm-on-aws.conf lib/systemd/system/logrotate.service.d/50-slurm-on-aws.conf \
        etc/apt/apt.conf.d/52slurm-on-aws etc/needrestart/conf.d/slurm-on-aws.conf; do
        grep -qE " \./(usr/)?$file\$" "$WORK/list" || { echo "missing: $file" && return 1; }
    done
}
lintian_clean() {
    # Man pages are not written yet; there is no bug tracker of Debian's to close bugs in.
    lintian --allow-root --fail-on error,warning --suppress-tags no-manual-page,initial-upload-closes-no-bugs \
        "$WORK"/packages/*.deb
}
if command -v dh >/dev/null && command -v lintian >/dev/null; then
    check "the packages build" build_packages
    check "slurm-on-aws-controller has what a controller needs" controller_has_everything
    check "slurm-on-aws-node has what a node needs" node_has_everything
    check "lintian has nothing to say about the packages" lintian_clean
else
    skip "the packages build" "debhelper or lintian is not installed"
fi

# --- pages ----------------------------------------------------------------------------------

check "the architecture picture is what its source makes" python3 "$ROOT/docs/architecture.py" --check
every_fault_has_its_row() {
    local fault status=0
    while read -r fault; do
        [ "$fault" = none ] || grep -qE "^\\|.*\`$fault\`.*\\|" "$ROOT/docs/runbooks/incidents.md" ||
            { echo "$fault: no row in docs/runbooks/incidents.md" && status=1; }
    done < <(sed -nE 's/^ +X\(RC_FAULT_[A-Z_]+, *"([a-z-]+)",.*/\1/p' "$ROOT/reconciler/core/policy.h")
    return "$status"
}
check "every fault that the daemon knows has its row in the runbook of incidents" every_fault_has_its_row
every_alarm_has_its_row() {
    local alarm status=0
    while read -r alarm; do
        grep -qF "\`$alarm\`" "$ROOT/docs/runbooks/alarms.md" || { echo "$alarm: no row in docs/runbooks/alarms.md" && status=1; }
    done < <(sed -nE 's/^    "?([a-z-]+)"? += \{$/\1/p; s/.*"\$\{node\}-([a-z]+)" =>.*/\1/p; s/.*: "([a-z-]+)" => \{$/\1/p' \
        "$D/terraform/modules/alarms/main.tf" | grep -v per-gpu)
    return "$status"
}
check "every alarm has its row in the runbook of alarms" every_alarm_has_its_row
# The commands of deploy/README.md, walked through with cd: programs, plays and jobs that they name are there.
readme_walks() {
    python3 - "$ROOT" <<'PYTHON'
import os, pathlib, re, sys
root, seen, wrong = pathlib.Path(sys.argv[1]), 0, []
blocks = re.findall(r"^```\n(.*?)^```", (root / "deploy/README.md").read_text(), re.M | re.S)
for block, start in zip(blocks, (root, root / "deploy/jobs"), strict=True):
    here = start
    for command in re.split(r"\n|&&", re.sub(r"#.*", "", block)):
        words = command.split()
        if words[:1] == ["cd"]:
            here = (here / words[1]).resolve()
        for word in words:
            if re.search(r"(^\./|\.(sh|yml|slurm)$)", word):
                seen += 1
                wrong += [] if (here / word).exists() else [f"{here.relative_to(root)}: {word}"]
print("\n".join(wrong))
sys.exit(bool(wrong) or seen < 8)
PYTHON
}
check "the commands of deploy/README.md name what is there" readme_walks
links_lead_somewhere() {
    python3 - "$ROOT" <<'PYTHON'
import pathlib, re, sys
root, wrong = pathlib.Path(sys.argv[1]), 0
for page in [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "deploy").rglob("*.md")]:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        if not (page.parent / target).exists():
            wrong = 1
            print(f"{page.relative_to(root)}: {target}")
sys.exit(wrong)
PYTHON
}
check "links between the pages lead somewhere" links_lead_somewhere
