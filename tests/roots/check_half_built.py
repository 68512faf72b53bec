"""Plays on hosts that are half-built: a play that is killed, a machine that loses its power while
packages are unpacked, half-written files, services that do not start. The next run ends well."""
from tests.roots.root_world import wait_for

# What somebody's editor, a full disk or a lost machine leaves behind.
CUT_NODE = r"""
cut() { head -c $(($(stat -c %s "$1") / 2)) "$1" >/tmp/half && cat /tmp/half >"$1"; }
systemctl stop slurmd nodewatch munge
cut /etc/munge/munge.key; cut /etc/default/slurmd; cut /etc/default/slurm-on-aws-node
printf '[Unit\nCondition' >/etc/systemd/system/slurmd.service.d/40-configless.conf
umount /scratch_gluster; sed -i /scratch_gluster/d /etc/fstab
dpkg --purge --force-depends munge
systemctl daemon-reload; systemctl --no-block start slurmd nodewatch; true
"""
CUT_CONTROLLER = r"""
cut() { head -c $(($(stat -c %s "$1") / 2)) "$1" >/tmp/half && cat /tmp/half >"$1"; }
systemctl stop reconcilerd slurmctld slurmdbd munge
cut /etc/munge/munge.key; cut /etc/slurm-on-aws/peer.key; cut /etc/slurm-on-aws/reconcilerd.json
cut /etc/slurm-on-aws/policy.json; : >/etc/slurm-on-aws/probe_ed25519
printf '[Unit\nRequires' >/etc/systemd/system/slurmdbd.service.d/50-shared-state.conf
printf '[Service]\nExecCondition=/usr/libexec' >/etc/systemd/system/slurmctld.service.d/60-admit.conf
umount -l /etc/slurm; sed -i '\| /etc/slurm |d' /etc/fstab
dpkg --purge --force-depends slurmctld
cd /tmp && dpkg --unpack /var/lib/rc-packages/slurmctld_*.deb
systemctl daemon-reload; systemctl start munge slurmdbd reconcilerd; true
"""


def power_is_cut(cluster, play, name):
    """The machine goes while it unpacks packages, and Ansible with it; then the play is run again."""
    root = cluster.roots[name]

    def unpacks():
        """Held there, for a busy machine takes its time to pull the plug."""
        return root.shell("pid=$(pgrep -x dpkg) && kill -STOP $pid && "
                          "{ ls /var/lib/dpkg/updates | grep . || ! kill -CONT $pid; }", check=False)

    def lost():
        if not unpacks():
            return False
        root.power_off()
        return True
    status, output = cluster.play(play, broken_off_by=lost)
    if root.leader:
        return f"the play ended before anything was unpacked ({status}): {output[-2000:]}"
    root.power_on()
    wait_for(root.booted, 60, f"boot of {name}")
    left = root.shell("dpkg --audit; ls /var/lib/dpkg/updates")
    if not left:
        return "the installation was not broken off"
    status, output = cluster.play(play)
    still = root.shell("dpkg --audit; ls /var/lib/dpkg/updates")
    return output[-6000:] if status else still


def order(cluster, words):
    """Of an operator; the leader takes it."""
    for name in ("ctl-1", "ctl-2"):
        cluster.roots[name].shell(f"reconcilectl {words}", check=False)


def node_is_finished(cluster, node="cpu-1"):
    """Held meanwhile: on a slow machine the daemon would replace a node that is away so long."""
    order(cluster, f"hold {node}")
    try:
        return finish_node(cluster, node)
    finally:
        order(cluster, f"release {node}")


def finish_node(cluster, node):
    root = cluster.roots[node]
    root.shell(CUT_NODE)
    for play in ("play-install-gluster.yml", "play-install-slurm.yml", "play-install-reconciler.yml"):
        status, output = cluster.play(play, "--limit", f"{node},localhost")
        if status:
            return output[-5000:]

    def whole():  # slurmd's gate asks the controllers first, so its start is not waited for by the play
        said = root.shell("mountpoint /scratch_gluster; systemctl is-active munge slurmd nodewatch", check=False)
        return "is a mountpoint" in said and said.splitlines()[1:] == ["active"] * 3
    try:
        wait_for(whole, 60, f"munge, slurmd and nodewatch of {node}", 1)
        return ""
    except TimeoutError:
        return root.shell("mountpoint /scratch_gluster; systemctl status munge slurmd nodewatch --no-pager -n 15", check=False)


def standby_controller_is_finished(cluster, node="ctl-2"):
    """The other controller and its daemon serve meanwhile."""
    root = cluster.roots[node]
    root.shell(CUT_CONTROLLER)
    for play in ("play-install-slurm.yml", "play-install-reconciler.yml"):
        status, output = cluster.play(play, "--limit", node)
        if status:
            return output[-5000:]

    def whole():
        said = root.shell("timeout 20 scontrol ping; systemctl is-active munge slurmdbd reconcilerd slurmctld; "
                          "dpkg --audit; stat -c '%s %n' /etc/slurm-on-aws/*", check=False)
        return said.count("is UP") == 2 and said.count("active\n") == 4 and "inactive" not in said
    try:
        wait_for(whole, 90, "both slurmctld", 2)
    except TimeoutError:
        return root.shell("timeout 20 scontrol ping; systemctl status munge slurmdbd reconcilerd slurmctld --no-pager -n 8;"
                          "dpkg --audit; stat -c '%s %n' /etc/slurm-on-aws/*", check=False)
    same = {cluster.roots[n].shell("cat /etc/slurm-on-aws/peer.key") for n in ("ctl-1", "ctl-2")}
    return "" if len(same) == 1 else "the controllers have different keys of their link"
