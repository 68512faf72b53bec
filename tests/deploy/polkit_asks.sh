#!/bin/bash
# polkit_asks.sh RULES FOLDER: asks a polkitd of our own who may do what with systemd's units. To be
# run by root in a mount namespace of its own; needs the user slurm.
set -euo pipefail
rules=$1 folder=$2
mkdir -p "$folder/rules"
chmod 755 "$(dirname "$folder")" "$folder" "$folder/rules"
cp /usr/share/polkit-1/rules.d/50-default.rules "$rules" "$folder/rules/"
chmod 644 "$folder/rules"/*
mount --bind "$folder/rules" /usr/share/polkit-1/rules.d
mount -t tmpfs tmpfs /etc/polkit-1/rules.d

cat >"$folder/bus.conf" <<XML
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=$folder/bus</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
XML
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$folder/bus
pids=()
# shellcheck disable=SC2317 # called by trap
end() {
    kill "${pids[@]}" 2>/dev/null || true
}
trap end EXIT
# started COMMAND...: in the background, ended with this script.
started() {
    "$@" >>"$folder/log" 2>&1 &
    pids+=($!)
}
on_bus() {
    busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" status org.freedesktop.PolicyKit1 >/dev/null 2>&1
}
started dbus-daemon --config-file="$folder/bus.conf" --nofork
for _ in $(seq 100); do [ -S "$folder/bus" ] || sleep 0.1; done
started /usr/lib/polkit-1/polkitd --no-debug
for _ in $(seq 100); do on_bus || sleep 0.1; done

# answer USER UNIT VERB: yes or no.
answer() {
    local asker
    setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups sleep 60 &
    asker=$!
    pids+=("$asker")
    while [ "$(stat -c %u "/proc/$asker")" != "$(id -u "$1")" ]; do sleep 0.05; done
    if pkcheck --action-id org.freedesktop.systemd1.manage-units --process "$asker" \
        --detail unit "$2" --detail verb "$3" >>"$folder/log" 2>&1; then
        echo yes
    else
        echo no
    fi
    kill "$asker"
}
failed=0
while read -r wanted user unit verb; do
    got=$(answer "$user" "$unit" "$verb")
    echo "$user $verb $unit: $got"
    [ "$got" = "$wanted" ] || failed=1
done <<'CASES'
yes slurm slurmctld.service start
yes slurm slurm-on-aws-reject@10.0.1.5.service start
no slurm slurm-on-aws-reject@10.0.1.5.service stop
no slurm slurm-on-aws-reject@-h.service start
no nobody slurm-on-aws-reject@10.0.1.5.service start
no slurm slurmctld.service stop
no slurm slurmctld.service restart
no slurm ssh.service start
no nobody slurmctld.service start
CASES
exit "$failed"
