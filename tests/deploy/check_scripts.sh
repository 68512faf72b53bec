# check_scripts.sh - sourced by run.sh: scripts and jobs, from the first boot to the epilog.
# shellcheck shell=bash disable=SC2154

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
        "libslurm40", "libpam-slurm-adopt", "libmunge2", "glusterfs-server", "efa"]
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

# On Debian's files, with a pam-auth-update that takes systemd's line out and puts it back.
ssh_needs_a_job() {
    local dir=$WORK/pam
    mkdir -p "$dir/bin"
    printf '%s\n' '@include common-auth' 'account    required     pam_nologin.so' '# account required pam_access.so' \
        '@include common-account' 'session    required     pam_loginuid.so' '@include common-session' >"$dir/sshd"
    printf 'session\trequired\tpam_unix.so\n%s\n' 'session	optional	pam_systemd.so ' >"$dir/common-session"
    cp "$dir/sshd" "$dir/was" && cp "$dir/common-session" "$dir/session.was"
    # shellcheck disable=SC2016 # the words are the stand-in's own
    printf '#!/bin/sh\ncase $* in "--disable systemd") sed -i /pam_systemd/d "$RC_PAM/common-session" ;; "--enable systemd") cat "$RC_PAM/session.was" >"$RC_PAM/common-session" ;; *) exit 9 ;; esac\n' >"$dir/bin/pam-auth-update"
    chmod +x "$dir/bin/pam-auth-update"
    run() { PATH=$dir/bin:$PATH RC_PAM=$dir bash "$D/node/ssh-needs-job" "$@"; }
    [ -z "$(run off)" ] && diff "$dir/was" "$dir/sshd" && [ "$(run ubuntu ann)" = $'changed\nchanged' ] && [ -z "$(run ubuntu ann)" ] || return 1
    # The names first, Slurm last of the account modules; and no pam_systemd.
    diff - <(sed -n '/common-account/,/pam_loginuid/p' "$dir/sshd") <<'PAM' || return 1
@include common-account
# BEGIN slurm-on-aws: users with a job
account [success=1 default=ignore] pam_succeed_if.so quiet user in root:slurm-on-aws:ubuntu:ann
account required pam_slurm_adopt.so action_adopt_failure=deny action_generic_failure=deny
# END slurm-on-aws: users with a job
session    required     pam_loginuid.so
PAM
    ! grep pam_systemd "$dir/common-session" && [ "$(run ubuntu)" = changed ] && grep -q 'root:slurm-on-aws:ubuntu$' "$dir/sshd" &&
        ! run 2>/dev/null && ! run 'a b' 2>/dev/null && ! run ubuntu:x 2>/dev/null && grep -q 'root:slurm-on-aws:ubuntu$' "$dir/sshd" &&
        [ "$(run off)" = $'changed\nchanged' ] && diff "$dir/was" "$dir/sshd" && diff "$dir/session.was" "$dir/common-session" || return 1
    # A file that is somebody's own: nothing is changed.
    sed -i /common-account/d "$dir/sshd" && ! run ubuntu 2>/dev/null && ! grep -q slurm "$dir/sshd" && [ ! -e "$dir/sshd.slurm-on-aws" ] && grep -q pam_systemd "$dir/common-session"
}
check "ssh to a node needs a job, but for the names that are let in before Slurm is asked; off is as it was" ssh_needs_a_job

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
