#!/bin/sh
# forensics.sh - evidence of a fault, on the node, as root: one gzip-compressed tar on stdout, and
# "rc-serials A,B,..." of the GPUs on stderr. Sent over ssh by the daemon, which puts these before it:
#   part_max    bytes kept of each file: its end, which is the latest
#   bug_report  1 = nvidia-bug-report.sh too: it takes minutes and talks to a GPU that may hang
#   left        seconds for all of it
: "${part_max:=262144}" "${bug_report:=0}" "${left:=60}"
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin
started=$(date +%s)
dir=$(mktemp -d "${TMPDIR:-/tmp}/rc-forensics-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/node"

# keep FILE SECONDS COMMAND...: what it says, and how it ended.
keep()
{
    file=$1 most=$2
    shift 2
    rest=$((started + left - $(date +%s)))
    [ "$rest" -gt "$most" ] && rest=$most
    if [ "$rest" -lt 1 ]; then
        echo "$file: no time was left" >>"$dir/node/notes.txt"
        return
    fi
    command -v "$1" >/dev/null 2>&1 || {
        echo "$file: $1 is not there" >>"$dir/node/notes.txt"
        return
    }
    # The status goes through a file: in a pipe it would be that of tail.
    { timeout -k 2 "$rest" "$@" </dev/null 2>&1; echo $? >"$dir/status"; } |
        tail -c "$part_max" >"$dir/node/$file"
    status=$(cat "$dir/status")
    [ "$status" -eq 0 ] || echo "$file: status $status" >>"$dir/node/notes.txt"
}

keep kernel.log 15 dmesg --time-format iso
keep kernel-before.log 15 journalctl -k -b -1 --no-pager -n 2000
keep check.json 30 nodewatch check --json
# shellcheck disable=SC2016 # the inner shell expands
keep counters.txt 10 sh -c 'for f in /sys/class/infiniband/*/hw_counters/* \
    /sys/class/infiniband/*/ports/*/hw_counters/*; do [ -r "$f" ] && echo "$f $(cat "$f")"; done; true'
keep lspci.txt 20 lspci -nnvvv
# shellcheck disable=SC2016
keep jobs.txt 20 sh -c 'scontrol show job; sacct -N "$(hostname -s)" -S now-1day -P 2>/dev/null; true'
keep slurmd.log 5 sh -c 'tail -n 2000 /var/log/slurm/slurmd.log /var/log/slurmd.log 2>/dev/null; true'
keep system.txt 15 sh -c 'uname -a; uptime; cat /proc/sys/kernel/random/boot_id /proc/meminfo
    cat /proc/mounts /proc/driver/nvidia/version 2>/dev/null; ps axo pid,stat,wchan:20,comm; true'
keep nvidia-smi.txt 60 nvidia-smi -q
keep nvidia-topology.txt 30 nvidia-smi topo -m
if [ "$bug_report" -eq 1 ]; then
    keep nvidia-bug-report.log 300 sh -c "nvidia-bug-report.sh --output-file '$dir/bug' >/dev/null &&
        zcat -f '$dir'/bug*"
fi
# Of a board without a serial number the beginning of its GPU's UUID, as nodewatch names it. Whole
# fields only, so that no error message is pressed into a number that two hosts would share.
gpu_names()
{
    awk -F' *, *' '
        NF != 2 { next }
        $1 ~ /^[0-9A-Za-z]+$/ && $1 ~ /[0-9]/ && $1 !~ /^0*$/ && length($1) >= 5 { print $1; next }
        $2 ~ /^GPU-[0-9a-f]+-/ { gsub(/^GPU|-/, "", $2); print substr($2, 1, 16) }' | paste -sd, -
}

if command -v nvidia-smi >/dev/null 2>&1; then
    serials=$(timeout 20 nvidia-smi --query-gpu=serial,uuid --format=csv,noheader 2>/dev/null \
        </dev/null | gpu_names)
    printf 'rc-serials %s\n' "$serials" >&2
fi
tar -C "$dir" -czf - node
