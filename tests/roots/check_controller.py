"""A controller's instance is ended by AWS: the leader launches another one from the controllers'
template, whose user data (run by cloud-init) makes a fresh machine the backup; then slurmctld moves there."""
import json
import re

from tests.roots.check_roots import accounted, clocks_are_kept, submit
from tests.roots.root_maker import ask
from tests.roots.root_world import wait_for

# Silent for the policy's `lost` (5 minutes) before it is launched, then a first boot on a busy machine.
LAUNCHED_S = 15 * 60


def status(root):
    said = root.run("reconcilectl", "--json", "status", check=False).stdout
    return json.loads(said) if said.startswith("{") else {}


def seen(leader, name):
    """What the leader knows of a controller."""
    rows = status(leader).get("slurmctld", {}).get("controllers", [])
    return next((r for r in rows if r["host"] == name), {})


def controller_is_launched_anew(cluster, name="ctl-1", leader="ctl-2"):
    before, leader = cluster.made["controllers"][name], cluster.roots[leader]
    ask("end", id=before["id"])

    def back():
        cluster.maker.check()
        row = seen(leader, name)
        return (row.get("daemon_answers") and row["instance"] not in ("", before["id"]) and
                f"SlurmctldHost={name}({row['addr']})" in leader.shell("cat /etc/slurm/slurm.conf") and row)
    try:
        row = wait_for(back, LAUNCHED_S, f"{name} launched anew", 2)
    except TimeoutError:
        fresh = cluster.roots.get(next((i["id"] for i in reversed(ask("instances")["instances"])
                                        if i["tags"].get("slurm-on-aws:node") == name), ""))
        inside = fresh.shell("cloud-init status --long; tail -40 /var/log/cloud-init-output.log; journalctl -u reconcilerd "
                             "--no-pager -n 15 -o cat", check=False) if fresh and fresh.leader else "no machine"
        return f"{status(leader).get('slurmctld')}\n" + leader.shell(
            "journalctl -u reconcilerd --no-pager -n 30 -o cat; grep SlurmctldHost /etc/slurm/slurm.conf", check=False) + inside
    cluster.made["controllers"][name] = {"id": row["instance"], "addr": row["addr"]}
    cluster.refresh_inventory(name, cluster.made["controllers"][name])
    return ""


def it_is_the_backup(cluster, name="ctl-1"):
    """State, configuration, keys and units as on the other one; slurmctld is not its own to start."""
    fresh = cluster.roots[cluster.made["controllers"][name]["id"]]
    wait_for(lambda: "done" in fresh.shell("cloud-init status", check=False), 60, "end of cloud-init", 1)
    said = fresh.shell(
        "hostname; mountpoint /var/spool/slurm-shared; mountpoint /etc/slurm; systemctl is-active munge slurmdbd reconcilerd "
        "controller-names.timer; pgrep -x slurmctld || echo no slurmctld; stat -c '%U %a %n' /etc/slurm-on-aws/peer.key "
        "/etc/slurm-on-aws/probe_ed25519; cat /etc/systemd/system/slurmctld.service.d/60-admit.conf; "
        "grep -l signal=USR2 /etc/logrotate.d/slurmctld /etc/logrotate.d/slurmdbd; cloud-init status", check=False)
    want = (f"{name}\n", "slurm-shared is a mountpoint", "/etc/slurm is a mountpoint", "active\nactive\nactive\nactive\n",
            "no slurmctld", "slurm 400 /etc/slurm-on-aws/peer.key", "slurm 400 /etc/slurm-on-aws/probe_ed25519", "--index 0",
            "logrotate.d/slurmctld\n", "logrotate.d/slurmdbd\n", "status: done")
    wrong = [w for w in want if w not in said]
    return f"{said}\nmissing: {wrong}" if wrong else ""


def its_name_is_found(cluster, name="ctl-1"):
    """Its new address in /etc/hosts of every kind of machine, within the minute of the timer."""
    addr = cluster.made["controllers"][name]["addr"]

    def everywhere():
        return all(addr in cluster.roots[host].shell(f"getent hosts {name}", check=False)
                   for host in ("login-1", "ctl-2", "cpu-1"))
    try:
        wait_for(everywhere, 150, f"the new address of {name} everywhere", 2)
        return ""
    except TimeoutError:
        return "".join(cluster.roots[host].shell("cat /etc/hosts; systemctl status controller-names.service controller-names.timer "
                                                 "--no-pager; grep -r SlurmctldHost /run/slurm/conf/ /etc/slurm/slurm.conf", check=False)
                       for host in ("login-1", "ctl-2", "cpu-1"))


def plays_find_it_in_order(cluster, name="ctl-1"):
    """The plays, after an apply: they take it for one of theirs, and slurm.conf keeps its address."""
    addr = cluster.made["controllers"][name]["addr"]
    for play in ("play-hostnames.yml", "play-install-slurm.yml", "play-install-reconciler.yml"):
        code, output = cluster.play(play, "--limit", f"{name},localhost")
        if code:
            return output[-5000:]
    conf = cluster.roots["ctl-2"].shell("grep SlurmctldHost= /etc/slurm/slurm.conf")
    return "" if f"SlurmctldHost={name}({addr})" in conf else conf


def slurmctld_moves_there(cluster, name="ctl-1", leader="ctl-2"):
    leader = cluster.roots[leader]

    def is_ready():  # the plays have restarted its daemon right before
        told = status(leader).get("slurmctld", {}).get("controllers", [])
        return any(c["host"] == name and c["daemon_answers"] and c["can_take_over"] for c in told)

    wait_for(is_ready, 60, f"{name} as a standby that the leader hears", 1)
    said = leader.shell(f"reconcilectl failover --to {name} 2>&1", check=False)
    try:
        wait_for(lambda: status(leader).get("slurmctld", {}).get("primary") == name, 120, f"slurmctld on {name}", 1)
    except TimeoutError:
        return f"{said}\n{status(leader).get('slurmctld')}\n" + leader.shell(
            "journalctl -u reconcilerd --no-pager -n 30 -o cat", check=False)
    row = accounted(cluster, submit(cluster, "sample.slurm"), 150)
    return "" if re.match("COMPLETED", row) else row


def run_controller(check, cluster):
    if not check("a controller that AWS ends is launched anew, by the leader, and its daemon answers",
                 controller_is_launched_anew, cluster):
        return
    check("it has state, configuration, keys and units; slurmctld waits for the leader", it_is_the_backup, cluster)
    check("it keeps its clock by Amazon's time service", clocks_are_kept, cluster, cluster.made["controllers"]["ctl-1"]["id"])
    check("its name is found at the new address on login, controllers and nodes", its_name_is_found, cluster)
    check("the plays find the new controller in order and keep its address", plays_find_it_in_order, cluster)
    check("slurmctld moves to the new controller, and a job runs", slurmctld_moves_there, cluster)
