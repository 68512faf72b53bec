#!/bin/sh
# as_root.sh - /usr/libexec/slurm-on-aws/as-root NAME [WORD=VALUE...] on a node: all that the daemon's
# user may do as root there (sudoers of the package). Runs gate, gpu_reset or forensics from the
# folder of the package, told what they ask for and nothing else, in an empty environment.
#
# What is not known here, or has another shape, is refused with status 64 before anything runs.
refuse() # WHY
{
    echo "as-root: $1 is refused" >&2
    exit 64
}

case ${1-} in
gate | gpu_reset | forensics) script=/usr/libexec/slurm-on-aws/$1.sh ;;
*) refuse "the script '${1-}'" ;;
esac
shift
for word in "$@"; do
    case $word in
    probes=*[!a-z\ ]* | device=*[!0-9a-fA-F:.]* | boot=*[!0-9a-f]*) refuse "'$word'" ;;
    since=*[!0-9]* | level=*[!0-9]* | left=*[!0-9]* | part_max=*[!0-9]* | bug_report=*[!01]*)
        refuse "'$word'"
        ;;
    probes=* | device=* | boot=* | since=* | level=* | left=* | part_max=* | bug_report=*) ;;
    *) refuse "'$word'" ;;
    esac
done
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" /bin/sh "$script"
