#!/bin/sh
# gate.sh - the probes of the gate, on the node, as root. Sent over ssh by the daemon, which puts
# these before it:
#   probes  words: check dcgm efa pingpong nccl pcie ecc
#   since   seconds: kernel messages older than this do not count; 0 = since boot
#   level   of dcgmi diag -r
#   left    seconds for all of it
# Says of each probe one line "rc-probe NAME well|bad|unknown TEXT", of nodewatch check its JSON
# behind "rc-json ", of the GPUs "rc-serials A,B,...", and "rc-gate-end" at its end. A tool that
# is not there is unknown.
: "${probes:=}" "${since:=0}" "${level:=1}" "${left:=60}"
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/amazon/efa/bin:/opt/nccl-tests/build
started=$(date +%s)

say() # NAME VERDICT TEXT
{
    printf 'rc-probe %s %s %s\n' "$1" "$2" "$(printf '%s' "$3" | tr -c '[:print:]' ' ' | cut -c1-90)"
}

have() # PROBE COMMAND
{
    command -v "$2" >/dev/null 2>&1 && return 0
    say "$1" unknown "$2 is not there"
    return 1
}

# limit SECONDS: no more than is left of the whole.
limit()
{
    rest=$((started + left - $(date +%s)))
    [ "$rest" -gt "$1" ] && rest=$1
    [ "$rest" -gt 1 ] || rest=1
    echo "$rest"
}

probe_check()
{
    have check nodewatch || return
    set -- --json
    [ "$since" -gt 0 ] && set -- "$@" --since "${since}s"
    out=$(timeout "$(limit 60)" nodewatch check "$@" 2>&1 </dev/null)
    status=$?
    case $status in
    0) say check well 'nothing found' ;;
    1) say check bad 'faults found' ;;
    2) say check unknown 'something could not be looked at' ;;
    *) say check unknown "nodewatch ended with status $status: $out" ;;
    esac
    [ "$status" -gt 2 ] || printf 'rc-json %s\n' "$out"
}

probe_dcgm()
{
    have dcgm dcgmi || return
    case $level in 1) wait=180 ;; 2) wait=900 ;; 3) wait=1800 ;; *) wait=10800 ;; esac
    out=$(timeout "$(limit "$wait")" dcgmi diag -r "$level" 2>&1 </dev/null)
    status=$?
    # Its status alone does not tell a failed test from a host engine that is not running.
    if printf '%s\n' "$out" | grep -qiE '\| *Fail\b|"status" *: *"Fail"'; then
        say dcgm bad "$(printf '%s\n' "$out" | grep -iE '\| *Fail\b|"Fail"' | head -n 1)"
    elif [ "$status" -eq 0 ]; then
        say dcgm well "diag -r $level passed"
    elif [ "$status" -eq 124 ]; then
        say dcgm unknown "diag -r $level did not end in time"
    else
        say dcgm unknown "status $status: $(printf '%s\n' "$out" | tail -n 1)"
    fi
}

efa_devices()
{
    for device in "${sys:-/sys}"/class/infiniband/*; do
        name=${device##*/}
        case $name in rdmap* | efa_*) echo "$name" ;; esac
    done
}

efa_functions()
{
    cat "${sys:-/sys}"/bus/pci/devices/*/device 2>/dev/null | grep -c '^0xefa[0-9]$'
}

probe_efa()
{
    want=$(efa_functions)
    there=$(efa_devices | grep -c .)
    if [ "$want" -eq 0 ] && [ "$there" -eq 0 ]; then
        say efa unknown 'this instance has no EFA'
    elif [ "$there" -lt "$want" ]; then
        say efa bad "$there of $want devices"
    elif command -v fi_info >/dev/null 2>&1; then
        if timeout "$(limit 30)" fi_info -p efa >/dev/null 2>&1 </dev/null; then
            say efa well "$there devices, the provider opens them"
        else
            say efa bad 'fi_info -p efa fails'
        fi
    else
        say efa unknown "$there devices, but fi_info is not there to open them"
    fi
}

# Over the network card and back: without shared memory, which would leave it out. One driver
# release drops loopback RDMA, so that a failure alone proves nothing (docs/runbooks/gpu.md).
probe_pingpong()
{
    have pingpong fi_pingpong || return
    count=0
    for name in $(efa_devices); do
        export FI_EFA_ENABLE_SHM_TRANSFER=0 FI_EFA_DEVICE_NAME="$name"
        timeout "$(limit 60)" fi_pingpong -e rdm -p efa -d "$name-rdm" >/dev/null 2>&1 </dev/null &
        server=$!
        sleep 1
        out=$(timeout "$(limit 60)" fi_pingpong -e rdm -p efa -d "$name-rdm" localhost 2>&1 </dev/null)
        status=$?
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        if [ "$status" -ne 0 ]; then
            say pingpong unknown "$name: status $status: $(printf '%s\n' "$out" | tail -n 1)"
            return
        fi
        count=$((count + 1))
    done
    if [ "$count" -eq 0 ]; then
        say pingpong unknown 'no EFA device'
    else
        say pingpong well "$count devices"
    fi
}

# Bus bandwidth that a whole node must reach, GB/s; 0 = not known for this type.
nccl_floor()
{
    case $(cat "${sys:-/sys}"/class/dmi/id/product_name 2>/dev/null) in
    p4d.24xlarge | p4de.24xlarge) echo 200 ;;
    *) echo 0 ;;
    esac
}

probe_nccl()
{
    have nccl all_reduce_perf || return
    gpus=$(nvidia-smi -L 2>/dev/null </dev/null | grep -c '^GPU ')
    if [ "$gpus" -lt 2 ]; then
        say nccl unknown "$gpus GPUs"
        return
    fi
    out=$(timeout "$(limit 600)" all_reduce_perf -b 1G -e 1G -g "$gpus" -n 20 2>&1 </dev/null)
    status=$?
    speed=$(printf '%s\n' "$out" | sed -n 's/.*Avg bus bandwidth *: *\([0-9]*\).*/\1/p' | tail -n 1)
    floor=$(nccl_floor)
    if [ "$status" -eq 124 ]; then
        say nccl bad 'the all-reduce did not end in time'
    elif [ "$status" -ne 0 ] || [ -z "$speed" ]; then
        say nccl bad "status $status: $(printf '%s\n' "$out" | tail -n 1)"
    elif [ "$speed" -lt "$floor" ]; then
        say nccl bad "$speed GB/s, expected $floor"
    else
        say nccl well "$speed GB/s over $gpus GPUs"
    fi
}

# Width only: a GPU that has nothing to do lowers its speed.
probe_pcie()
{
    count=0
    for device in "${sys:-/sys}"/bus/pci/devices/*; do
        [ "$(cat "$device/vendor" 2>/dev/null)" = 0x10de ] || continue
        case $(cat "$device/class" 2>/dev/null) in 0x03*) ;; *) continue ;; esac
        now=$(cat "$device/current_link_width" 2>/dev/null)
        most=$(cat "$device/max_link_width" 2>/dev/null)
        case $now$most in '' | *[!0-9]*) continue ;; esac
        if [ "$now" -lt "$most" ] || [ "$now" -eq 0 ]; then
            say pcie bad "${device##*/}: x$now instead of x$most"
            return
        fi
        count=$((count + 1))
    done
    if [ "$count" -eq 0 ]; then
        say pcie unknown 'no GPU shows its link'
    else
        say pcie well "$count GPUs at full width"
    fi
}

probe_ecc()
{
    have ecc nvidia-smi || return
    what=ecc.errors.uncorrected.volatile.total,remapped_rows.pending,remapped_rows.failure
    out=$(timeout "$(limit 60)" nvidia-smi --query-gpu="pci.bus_id,$what" --format=csv,noheader \
        2>&1 </dev/null)
    status=$?
    if [ "$status" -ne 0 ]; then
        say ecc unknown "nvidia-smi: status $status: $(printf '%s\n' "$out" | tail -n 1)"
        return
    fi
    found=$(printf '%s\n' "$out" | awk -F', *' '
        $2 ~ /^[1-9]/ { print $1 ": " $2 " uncorrected errors"; exit }
        $3 ~ /^(Yes|[1-9])/ { print $1 ": a row remap waits for a reset"; exit }
        $4 ~ /^(Yes|[1-9])/ { print $1 ": a row could not be remapped"; exit }')
    if [ -n "$found" ]; then
        say ecc bad "$found"
    elif printf '%s\n' "$out" | grep -q ', *\(0\|No\)'; then
        say ecc well "$(printf '%s\n' "$out" | grep -c .) GPUs"
    else
        say ecc unknown 'no GPU counts them'
    fi
}

# Of a board without a serial number the beginning of its GPU's UUID, as nodewatch names it. Whole
# fields only, so that no error message is pressed into a number that two hosts would share.
gpu_names()
{
    awk -F' *, *' '
        NF != 2 { next }
        $1 ~ /^[0-9A-Za-z]+$/ && $1 ~ /[0-9]/ && $1 !~ /^0*$/ && length($1) >= 5 { print $1; next }
        $2 ~ /^GPU-[0-9a-f]+-/ { gsub(/^GPU|-/, "", $2); print substr($2, 1, 16) }' | paste -sd, -
}

for probe in $probes; do
    "probe_$probe"
done
if command -v nvidia-smi >/dev/null 2>&1; then
    serials=$(timeout "$(limit 30)" nvidia-smi --query-gpu=serial,uuid --format=csv,noheader \
        2>/dev/null </dev/null | gpu_names)
    [ -z "$serials" ] || printf 'rc-serials %s\n' "$serials"
fi
echo rc-gate-end
