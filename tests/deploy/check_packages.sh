# check_packages.sh - sourced by run.sh: the Debian packages.
# shellcheck shell=bash disable=SC2154

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
        usr/share/slurm-on-aws/imds.nft lib/systemd/system/slurm-on-aws-imds.service usr/libexec/slurm-on-aws/scratch usr/libexec/slurm-on-aws/ssh-needs-job lib/systemd/system/slurm-on-aws-scratch.service \
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
