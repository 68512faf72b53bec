"""A newer release of our packages: the play installs it, daemon and agents are started anew, slurmd
and its job are left alone, and a fresh instance finds the newer package."""
from tests.roots.check_packages import newer
from tests.roots.check_roots import accounted, submit
from tests.roots.root_world import wait_for

SERVICES = {"ctl-1": ("controller", "reconcilerd"), "ctl-2": ("controller", "reconcilerd"), "cpu-1": ("node", "nodewatch")}


def version(root, part):
    return root.shell(f"dpkg-query -W -f='${{Version}}' slurm-on-aws-{part}")


def process(root, service):
    return root.shell(f"systemctl show -P MainPID {service}").strip()


def release(cluster):
    """The next release in the place of the present one."""
    shelf = cluster.site / "build/packages"
    for part in ("controller", "node"):
        present, = shelf.glob(f"slurm-on-aws-{part}_*.deb")
        newer(present, cluster.folder).rename(shelf / f"slurm-on-aws-{part}_next.deb")
        present.unlink()


def is_idle(cluster, node):
    return cluster.roots["login-1"].shell(f"sinfo -h -N -n {node} -o %t", check=False).split()[:1] == ["idle"]


def packages_are_upgraded(cluster):
    # It was away for as long as the plays took that finished it, and may be under repair for that.
    try:
        wait_for(lambda: is_idle(cluster, "cpu-1"), 600, "idle cpu-1", 2)
    except TimeoutError:
        return cluster.roots["login-1"].shell("scontrol show node cpu-1", check=False) + "".join(
            cluster.roots[c].shell("reconcilectl why cpu-1; reconcilectl status", check=False) for c in ("ctl-1", "ctl-2"))
    cluster.roots["login-1"].write("/opt/jobs/long.slurm", "#!/bin/bash\nfor i in $(seq 600); do sleep 1; "
                                   "[ ! -e /shared_gluster/date/upgraded ] || exit 0; done; exit 1\n", 0o755)
    job = submit(cluster, "long.slurm", "--nodelist=cpu-1", "--partition=cpu", "--output=/shared_gluster/date/%j.out")
    node = cluster.roots["cpu-1"]
    wait_for(lambda: node.shell("pgrep -x slurmstepd", check=False), 60, "running job")
    before = {name: process(cluster.roots[name], service) for name, (_, service) in SERVICES.items()}
    slurmd = process(node, "slurmd")
    release(cluster)
    status, output = cluster.play("play-install-reconciler.yml")
    cluster.roots["login-1"].shell("touch /shared_gluster/date/upgraded")
    if status:
        return output[-5000:]
    wrong = []
    for name, (part, service) in SERVICES.items():
        root = cluster.roots[name]
        if not version(root, part).endswith("+next") or process(root, service) in ("0", before[name]):
            wrong.append(f"{name}: {version(root, part)}, {service} {before[name]} -> {process(root, service)}")
    if process(node, "slurmd") != slurmd:
        wrong.append(f"slurmd was started again: {slurmd} -> {process(node, 'slurmd')}\n" + node.shell(
            "journalctl --no-pager -o short-precise -n 60 -u slurmd -u munge -u nodewatch -u 'slurm-on-aws-*' _PID=1", check=False))
    row = accounted(cluster, job)
    return "\n".join(wrong if row.startswith("COMPLETED") else [*wrong, row])
