"""What the daemon does on the booted cluster: it leads, replaces a node that AWS ends by a fresh
machine that cloud-init makes a node, and jobs outlive the loss of a controller."""
import json
import re
import time

from tests.roots.check_roots import accounted, ctl, submit
from tests.roots.root_maker import ask
from tests.roots.root_world import wait_for


def daemon_leads(cluster):
    def status():
        said = cluster.roots["ctl-1"].run("reconcilectl", "--json", "status", check=False).stdout
        return json.loads(said) if said.startswith("{") else {}
    try:
        wait_for(lambda: status().get("lease", {}).get("held") or status().get("leader"), 60, "leader", 1)
        return ""
    except TimeoutError:
        return cluster.roots["ctl-1"].shell("systemctl status reconcilerd --no-pager -n 0; journalctl -u reconcilerd "
                                            "--no-pager -n 30 -o cat; reconcilectl --json status", check=False)


def configuration_checks(cluster):
    """The daemon's own check of the configuration that the role wrote, as its unit's user."""
    done = cluster.roots["ctl-1"].run("runuser", "-u", "slurm", "--", "reconcilerd", "--config",
                                      "/etc/slurm-on-aws/reconcilerd.json", "--check", check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def node_is_replaced(cluster, node="cpu-2"):
    """AWS ends the instance; the rest is the daemon's, the template's user data, and the gate."""
    before = cluster.made["compute"][node]
    ask("end", id=before["id"])

    def back():
        cluster.maker.check()
        now = [i for i in ask("instances")["instances"] if i["tags"].get("slurm-on-aws:node") == node
               and i["state"] == "running" and i["id"] != before["id"]]
        said = ctl(cluster).shell(f"timeout 20 scontrol -o show node {node}", check=False)
        return now and f"NodeAddr={now[0]['addr']} " in said and re.search(r"State=IDLE ", said) and now[0]
    try:
        cluster.made["compute"][node] = wait_for(back, 420, f"replacement of {node} in service", 2)
        cluster.refresh_inventory(node, cluster.made["compute"][node])
    except TimeoutError:
        fresh = cluster.roots.get(next((i["id"] for i in reversed(ask("instances")["instances"])
                                        if i["tags"].get("slurm-on-aws:node") == node), ""))
        inside = fresh.shell("cloud-init status --long; tail -30 /var/log/cloud-init-output.log; systemctl status "
                             "slurmd nodewatch --no-pager -n 5", check=False) if fresh and fresh.leader else "no machine"
        return cluster.roots["ctl-1"].shell(
            f"reconcilectl why {node}; timeout 20 scontrol show node {node}; "
            "journalctl -u reconcilerd --no-pager -n 25 -o cat", check=False) + inside
    return ""


def replacement_is_whole(cluster, node="cpu-2"):
    """Mounts, names and probe of the fresh machine; and a job on it."""
    fresh = cluster.roots[cluster.made["compute"][node]["id"]]
    said = fresh.shell("mountpoint /shared_gluster /home/shared; hostname; getent hosts ctl-1; "
                       "systemctl is-active nodewatch slurmd munge; cloud-init status", check=False)
    job = submit(cluster, "sample.slurm", f"--nodelist={node}", "--partition=cpu")
    row = accounted(cluster, job)
    wrong = [w for w in (node, "ctl-1", "status: done") if w not in said]
    return "" if row.startswith("COMPLETED") and not wrong and said.count("active") >= 3 else f"{said}{row}{wrong}"


def agents_reach_slurmctld(cluster, *names):
    """No node has a slurm.conf of its own: its agent takes what slurmd has fetched."""
    wrong = []
    for name in names:
        root = cluster.roots[name]
        root.shell("systemctl restart nodewatch")
        try:
            wait_for(lambda r=root: r.shell("p=$(pgrep -x rc-slurm-helper) && sleep 2 && kill -0 $p && echo up", check=False), 30,
                     "helper that stays", 0.5)
        except TimeoutError:
            wrong.append(f"{name}: " + root.shell("journalctl -u nodewatch --no-pager -o cat -n 10", check=False))
    return "\n".join(wrong)


def job_outlives_a_controller(cluster):
    """The active controller loses its power in the middle of a job: the job goes on, and is accounted."""
    cluster.roots["login-1"].write("/opt/jobs/long.slurm", "#!/bin/bash\nfor i in $(seq 60); do sleep 1; echo $i; done\n", 0o755)
    job = submit(cluster, "long.slurm", "--partition=cpu", "--output=/shared_gluster/date/%j.out")
    wait_for(lambda: "RUNNING" in ctl(cluster).shell(f"timeout 20 scontrol -o show job {job}", check=False), 60,
             "running job", 1)
    cluster.roots["ctl-1"].power_off()
    start = time.monotonic()
    backup = cluster.roots["ctl-2"]

    def active():
        return re.search(r"^cpu", backup.shell("timeout 20 sinfo -h", check=False), re.M)
    if not cluster.fails_over_by_itself:
        # docs/runbooks/slurm.md: the power is certainly off, so the other one may take over.
        backup.shell("timeout 60 scontrol takeover 1", check=False)
    try:
        wait_for(active, 240, "slurmctld on ctl-2", 1)  # with the lease's term, if ctl-1 led
    except TimeoutError:
        return backup.shell("reconcilectl --json status; journalctl -u reconcilerd -u slurmctld --no-pager -n 40 -o cat",
                            check=False)
    took = time.monotonic() - start
    row = accounted(cluster, job, 150)
    lines = cluster.roots["login-1"].shell(f"wc -l </shared_gluster/date/{job}.out").strip()
    return "" if row.startswith("COMPLETED") and lines == "60" else f"{row} {lines} lines; take-over {took:.0f} s"


def fresh_job_runs_on_the_backup(cluster):
    row = accounted(cluster, submit(cluster, "sample.slurm"))
    return "" if row.startswith("COMPLETED") else row
