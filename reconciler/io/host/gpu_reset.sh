#!/bin/sh
# gpu_reset.sh - resets the GPUs of the node, as root, while no process is on one. Sent over
# ssh by the daemon, which puts these before it:
#   device  PCI address of the faulty GPU, "" = all
#   boot    first 8 digits of the boot id in which the fault was, "" = not told
#   left    seconds for all of it
# Its last line is "rc-reset ok|busy|unsupported|failed|unknown TEXT".
#
# Services that hold the devices are stopped and started again, whatever happens between. GPUs
# behind NVSwitch are reset together: one alone would leave its links down.
: "${device:=}" "${boot:=}" "${left:=60}"
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin
services='nodewatch nvidia-dcgm dcgm nvidia-persistenced nvidia-fabricmanager'
stopped=

start_again()
{
    # The fabric manager first, the agent last: the other way round than they were stopped.
    for service in $stopped; do
        systemctl start "$service" >/dev/null 2>&1 </dev/null
    done
    stopped=
}

end() # WORD TEXT
{
    start_again
    printf 'rc-reset %s %s\n' "$1" "$(printf '%s' "$2" | tr -c '[:print:]' ' ' | cut -c1-100)"
    exit 0
}

# Processes that hold a GPU, but for the services that are stopped below.
holders()
{
    find /proc/[0-9]*/fd -maxdepth 1 -lname '/dev/nvidia[0-9]*' -printf '%h\n' 2>/dev/null |
        sort -u | while IFS=/ read -r _ _ process _; do
        case $(cat "/proc/$process/comm" 2>/dev/null) in
        '' | nvidia-persiste* | nv-hostengine | nv-fabricmanage* | dcgm* | nodewatch) ;;
        *) echo "$process" ;;
        esac
    done
}

now=$(cut -c1-8 /proc/sys/kernel/random/boot_id)
if [ -n "$boot" ] && [ "$boot" != "$now" ]; then
    end ok 'the machine has booted since the fault'
fi
command -v nvidia-smi >/dev/null 2>&1 || end unsupported 'nvidia-smi is not there'
held=$(holders | head -n 4 | paste -sd, -)
[ -z "$held" ] || end busy "processes hold a GPU: $held"
apps=$(timeout 20 nvidia-smi --query-compute-apps=pid --format=csv,noheader 2>/dev/null </dev/null |
    grep -c '^[0-9]')
[ "$apps" -eq 0 ] || end busy "$apps processes compute"
for service in $services; do
    if systemctl is-active --quiet "$service" 2>/dev/null </dev/null; then
        stopped="$service $stopped"
        timeout 60 systemctl stop "$service" >/dev/null 2>&1 </dev/null
    fi
done
case $stopped in *nvidia-fabricmanager*) device= ;; esac
# A program may have begun to compute meanwhile.
held=$(holders | head -n 4 | paste -sd, -)
[ -z "$held" ] || end busy "processes hold a GPU: $held"
out=$(timeout "$left" nvidia-smi --gpu-reset ${device:+-i "$device"} 2>&1 </dev/null)
status=$?
case $status:$out in
0:*) end ok "${device:-all GPUs}" ;;
124:*) end failed 'nvidia-smi did not end in time' ;;
*[Nn]ot\ [Ss]upported*) end unsupported "$(printf '%s\n' "$out" | tail -n 1)" ;;
*[Ii]n\ [Uu]se*) end busy "$(printf '%s\n' "$out" | tail -n 1)" ;;
*) end failed "status $status: $(printf '%s\n' "$out" | tail -n 1)" ;;
esac
