#!/bin/bash
# A node health check in the manner of LBNL NHC with the configuration that sites run on GPU nodes:
# one bash process that sources nothing, reads its data with the usual tools and tests it line by line. It stands
# for what nodewatch is measured against (bench agent-idle), and is used for nothing else.
set -u
PATH=$PATH:/usr/sbin:/sbin
problems=0

bad() { problems=$((problems + 1)); echo "ERROR: nhc: $*"; }

# check_hw_cpuinfo, check_hw_physmem, check_hw_swap
sockets=0 cores=0 threads=0
while IFS=: read -r key value; do
    case $key in
    processor*) threads=$((threads + 1)) ;;
    "physical id"*) [[ ${value// /} -ge $sockets ]] && sockets=$((${value// /} + 1)) ;;
    "cpu cores"*) cores=${value// /} ;;
    esac
done </proc/cpuinfo
[[ $threads -ge 1 && $sockets -ge 0 && $cores -ge 0 ]] || bad "cpuinfo"
while read -r key value _; do
    case $key in MemTotal:) total=$value ;; MemAvailable:) free=$value ;; esac
done </proc/meminfo
[[ $free -gt $((total / 100)) ]] || bad "memory: $free of $total kB"

# check_hw_eth, check_hw_ib
for link in /sys/class/net/*; do
    state=$(cat "$link/operstate")
    [[ -n $state ]] || bad "$link: $state"
done
ls /sys/class/infiniband >/dev/null 2>&1

# check_hw_mcelog, check_hw_gpu
command -v mcelog >/dev/null && mcelog --client >/dev/null 2>&1
if command -v nvidia-smi >/dev/null; then
    nvidia-smi -L >/dev/null 2>&1
    nvidia-smi --query-gpu=ecc.errors.uncorrected.volatile.total --format=csv,noheader >/dev/null 2>&1
fi

# check_fs_mount for each, check_fs_free, check_fs_used, check_fs_ifree
declare -A mounts
while read -r device point type options _; do
    mounts[$point]="$device $type $options"
done </proc/mounts
for point in / /proc /sys /dev; do
    [[ -n ${mounts[$point]:-} ]] || bad "$point is not mounted"
    [[ ${mounts[$point]} == *rw* ]] || bad "$point is read-only"
done
while read -r _ _ _ _ used point; do
    used=${used%\%}
    [[ $used == [0-9]* && $used -gt 99 && ${mounts[$point]:-} == /dev/* ]] && bad "$point is full"
done < <(df -Pka 2>/dev/null | tail -n +2)
while read -r _ _ _ _ used _; do
    used=${used%\%}
    [[ $used == [0-9]* && $used -gt 99 ]] && bad "no inodes"
done < <(df -Pia 2>/dev/null | tail -n +2)

# check_ps_service, check_ps_unauth_users, check_ps_cpu, check_ps_mem, check_ps_blacklist
declare -A users
while IFS=: read -r user _ uid _; do users[$uid]=$user; done < <(getent passwd)
count=0
while read -r pid ppid uid state rss cpu comm; do
    [[ -n ${users[$uid]:-} ]] || :
    [[ $state == D* ]] && count=$((count + 1))
    [[ $rss -gt 2000000000 ]] && bad "$comm ($pid of $ppid) uses $rss kB"
    [[ ${cpu%.*} -gt 10000 ]] && bad "$comm uses $cpu %"
    case $comm in cryptominer*) bad "$comm runs" ;; esac
done < <(ps -e -o pid= -o ppid= -o uid= -o state= -o rss= -o pcpu= -o comm=)
[[ $count -lt 100 ]] || bad "$count processes in state D"
for service in sshd munged slurmd; do
    pgrep -x "$service" >/dev/null || :
done

# check_file_test, check_cmd_output: uptime, clock, kernel log
[[ -d /tmp && -w /tmp && -c /dev/null ]] || bad "/tmp"
uptime >/dev/null
date +%s >/dev/null
uname -r >/dev/null
dmesg 2>/dev/null | tail -n 2000 | grep -E 'NVRM: Xid|AER: .*(Fatal|error)|EDAC .* UE|EXT4-fs error|I/O error' |
    grep -vE 'Xid .*: (13|31|43|45|94),' >/dev/null
exit "$((problems > 0))"
