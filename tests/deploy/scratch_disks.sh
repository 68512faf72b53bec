#!/bin/bash
# scratch_disks.sh SCRATCH: deploy/node/scratch on loop devices, through the life of a node's disks.
# Run as root in a mount namespace of its own (unshare --mount). Exit status 0 when all went right.
# shellcheck disable=SC2015 # "wrong" ends it, whichever of the two has failed
set -uo pipefail
scratch=$1
work=$(mktemp -d)
chmod 755 "$work"
disks=()
cleanup() {
    umount -q "$work/scratch" "$work/elsewhere" 2>/dev/null
    local disk
    for disk in "${disks[@]}"; do
        losetup -d "$disk"
    done
    rm -rf "$work"
}
trap cleanup EXIT

wrong() {
    echo "$*"
    sed 's/^/    /' "$work/said"
    exit 1
}
# runs WANTED-STATUS: the program, as its unit calls it.
runs() {
    RC_SCRATCH_DISKS="${disks[*]}" bash "$scratch" "$work/scratch" >"$work/said" 2>&1
    [ $? -eq "$1" ] || wrong "exit status is not $1"
}
identity() { findmnt -no UUID "$work/scratch"; }
# A host that is another one: the disks are empty.
emptied() {
    local disk
    for disk in "$@"; do
        blkdiscard -f "$disk" 2>/dev/null || dd if=/dev/zero of="$disk" bs=1M status=none
        blkid -p "$disk" >/dev/null && wrong "$disk is not empty"
    done
}

: >"$work/said"
RC_SCRATCH_DISKS=" " bash "$scratch" "$work/scratch" >"$work/said" 2>&1 || wrong "no disks are an error"
[ ! -e "$work/scratch" ] || wrong "a folder without disks"
for n in 1 2 3; do
    truncate -s 300M "$work/disk$n"
    disks+=("$(losetup --find --show "$work/disk$n")") || wrong "no loop device"
done

runs 0
mountpoint -q "$work/scratch" || wrong "empty disks are not made into scratch"
[ "$(stat -c %a "$work/scratch")" = 1777 ] || wrong "not everybody may write"
[ "$(df --output=size -m "$work/scratch" | tail -n 1)" -ge 850 ] || wrong "not the room of all disks"
btrfs filesystem df "$work/scratch" | grep -q '^Data, RAID0' || wrong "not striped"
runuser -u nobody -- sh -c "echo kept >$work/scratch/file" || wrong "nobody cannot write"
was=$(identity)
runs 0
[ "$(identity)" = "$was" ] && [ ! -s "$work/said" ] || wrong "a second run did something"

# A reboot.
umount "$work/scratch"
btrfs -q device scan --forget
[ "$(stat -c %a "$work/scratch")" = 0 ] || wrong "an empty folder can be written into while nothing is mounted"
runs 0
[ "$(cat "$work/scratch/file")" = kept ] && [ "$(identity)" = "$was" ] || wrong "a reboot has lost the files"

# A stop and start: another host, empty disks.
umount "$work/scratch"
btrfs -q device scan --forget
emptied "${disks[@]}"
runs 0
mountpoint -q "$work/scratch" && [ ! -e "$work/scratch/file" ] || wrong "empty disks are not made anew"

# One disk is another one, or mkfs did not come to its end.
umount "$work/scratch"
btrfs -q device scan --forget
emptied "${disks[1]}"
was=$(identity || true)
runs 0
mountpoint -q "$work/scratch" && [ "$(identity)" != "$was" ] || wrong "a set with a hole is not made anew"

# All are ours by their labels, and do not fit together.
umount "$work/scratch"
btrfs -q device scan --forget
mkfs.btrfs -q -f -L rc-scratch "${disks[0]}"
mkfs.btrfs -q -f -L rc-scratch "${disks[1]}" "${disks[2]}"
dd if=/dev/zero of="${disks[0]}" bs=1M count=200 seek=20 status=none
runs 0
mountpoint -q "$work/scratch" && touch "$work/scratch/x" || wrong "no scratch of disks that did not fit together"

# Somebody's file system, mounted or not, is left alone with all that is beside it.
umount "$work/scratch"
btrfs -q device scan --forget
mkfs.ext4 -q -F "${disks[2]}"
mkdir "$work/elsewhere"
mount "${disks[2]}" "$work/elsewhere" && echo mine >"$work/elsewhere/mine" || wrong "no ext4"
before=$(sha256sum "${disks[0]}")
runs 1
grep -q "${disks[2]} holds ext4, which is not ours" "$work/said" || wrong "it does not say why"
[ "$(cat "$work/elsewhere/mine")" = mine ] && [ "$(sha256sum "${disks[0]}")" = "$before" ] || wrong "it touched what is not ours"
umount "$work/elsewhere"
runs 1

# One disk only.
wipefs -aq "${disks[2]}"
disks=("${disks[2]}" "${disks[@]:0:2}")
all=("${disks[@]}")
disks=("${all[0]}")
runs 0
mountpoint -q "$work/scratch" || wrong "one disk is not made into scratch"
disks=("${all[@]}")
echo "all right"
