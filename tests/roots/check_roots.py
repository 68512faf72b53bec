"""The plays of deploy/ansible on booted Debian roots, and the cluster that comes out of them.

check_roots RENDERED PACKAGES: prints one line a check. A check that fails shows what it saw; the
later ones are tried all the same, except when the machines or the plays themselves are missing.
"""
import os
import re
import sys
import time
from pathlib import Path

from tests.roots.check_calls import calls_are_granted
from tests.roots.checks import Checks
from tests.roots.cluster import Cluster, pinned
from tests.roots.root_world import tail, wait_for

RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)
# In the order in which an operator runs them. Each is first broken off on one host, where there is
# something to break: (play, host that loses its power while packages are unpacked).
PLAYS = ("play-hostnames.yml", "play-install-nfs.yml", "play-install-gluster.yml",
         "play-install-nvidia-drivers.yml", "play-install-slurm.yml", "play-install-reconciler.yml")
LOST_POWER = {"play-install-nfs.yml": "cpu-2", "play-install-slurm.yml": "ctl-1"}


def play_ends_well(cluster, *words):
    status, output = cluster.play(*words)
    return output[-6000:] if status else ""


def strangers_are_refused(cluster):
    status, output = cluster.play("login-1", "-m", "ping", tool="ansible")
    # ssh's words may be lost in the pipe; that it can be reached is what the next check shows.
    return "" if status and "UNREACHABLE" in output and "pong" not in output else output[-2000:]


def machines_are_met(cluster):
    status, output = cluster.meet()
    met = output.count('ping: pong') + output.count('"ping": "pong"')
    return "" if status == 0 and met == len(cluster.hosts) else output[-4000:]


def changes_nothing(cluster, *words):
    status, output = cluster.play(*words)
    if status:
        return output[-6000:]
    changed = [row[0] for row in RECAP.findall(output) if row[2] != "0"]
    if not changed:
        return ""
    tasks = re.split(r"^(?=TASK|RUNNING HANDLER)", output, flags=re.M)
    return "\n".join(t.strip() for t in tasks if re.search(r"^changed: ", t, re.M))


def clocks_are_kept(cluster, *machines):
    """By Amazon's time service, and by one program; that it runs cannot be seen on a machine without a clock."""
    wrong = []
    for name in machines:
        said = cluster.roots[name].shell("dpkg-query -W -f '${db:Status-Status}\n' chrony systemd-timesyncd; systemctl is-enabled chrony; "
                                         "systemctl is-failed chrony; cat /etc/chrony/sources.d/*.sources", check=False)
        lines = said.splitlines()
        good = lines.count("installed") == 1 and "enabled" in lines and "failed" not in lines
        wrong += [] if good and "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4" in lines else [f"{name}: {said}"]
    return "\n".join(wrong)


# --- file systems -------------------------------------------------------------------------------

def nfs_serves(cluster):
    """A client of its own in user space: the kernel here has none."""
    root = cluster.roots["nfs-1"]
    exports = root.shell("exportfs -v")
    if "no_subtree_check" not in exports or "/export/home" not in exports or "async" not in exports:
        return exports
    client = ["chroot", str(root.tree)]
    (root.tree / "tmp/hello").write_text("by NFS\n")
    from tests.real.lifeline import run
    url = f"nfs://{root.addr}/export/home/hello?version=4"
    run(*client, "nfs-cp", "/tmp/hello", url)
    if root.shell("cat /export/home/hello") != "by NFS\n":
        return "the file did not arrive in the export"
    return "" if run(*client, "nfs-cat", url).stdout == "by NFS\n" else "the file is not read back"


def nfs_is_tuned(cluster):
    said = cluster.roots["nfs-1"].shell("cat /etc/nfs.conf.d/slurm-on-aws.conf /proc/sys/net/core/rmem_max")
    return "" if "threads=64" in said and "16777216" in said else said


def room_is_told(cluster):
    wrong = []
    for name, folder in (("nfs-1", "/export"), ("gluster-2", "/bricks/brick1")):
        said = cluster.roots[name].shell("cat /var/log/statsd.log", check=False)
        wrong += [] if f"disk_used_percent {folder} " in said and "disk_used_percent / " in said else [f"{name}: {said[-300:]}"]
    return "\n".join(wrong)


def volume_replicates(cluster):
    cluster.roots["cpu-1"].shell("echo one >/shared_gluster/replicated && sync")
    for name in ("gluster-1", "gluster-2", "gluster-3"):
        if cluster.roots[name].shell("cat /bricks/brick1/shared/replicated", check=False) != "one\n":
            return f"{name} has no copy"
    return ""


def volume_heals(cluster):
    """One of three servers loses its power; what is written meanwhile reaches it afterwards."""
    lost = cluster.roots["gluster-3"]
    lost.power_off()
    cluster.roots["cpu-1"].shell("timeout 60 sh -c 'echo two >/shared_gluster/healed && sync'")
    lost.power_on()
    wait_for(lost.booted, 60, "boot of gluster-3")
    # In a container systemd leaves the devices of fstab alone: the brick is mounted by hand.
    lost.shell("mount /bricks/brick1 && systemctl restart glusterd")
    wait_for(lambda: lost.shell("cat /bricks/brick1/shared/healed 2>/dev/null", check=False) == "two\n", 120,
             "healed file on gluster-3", 1)
    left = cluster.roots["gluster-1"].shell("gluster volume heal shared info summary")
    return "" if not re.search(r"split-brain: [1-9]", left) else left


def server_is_made_again(cluster, name="gluster-2"):
    """docs/runbooks/glusterfs.md: a new root disk, so that glusterd is nobody any more; the brick is the old one."""
    root, other = cluster.roots[name], cluster.roots["gluster-1"]
    peers = other.shell("gluster peer status")
    was = re.search(rf"Hostname: {name}\nUuid: (\S+)", peers).group(1)
    root.shell("systemctl stop glusterd; kill $(pidof glusterfsd glusterfs); sleep 1; rm -rf /var/lib/glusterd/*")
    cluster.roots["cpu-1"].shell("timeout 60 sh -c 'echo three >/shared_gluster/while-away && sync'")
    status, output = cluster.play("play-install-gluster.yml", "--limit", name)
    if status:
        return output[-3000:]
    root.shell("systemctl stop glusterd; "
               f"sed -i 's/^UUID=.*/UUID={was}/' /var/lib/glusterd/glusterd.info && systemctl start glusterd; sleep 2; "
               "gluster peer probe gluster-1; systemctl restart glusterd")
    try:
        wait_for(lambda: len(re.findall(rf"Brick {name}:\S+ +\d+ +\d+ +Y", other.shell("gluster volume status", check=False))) == 2,
                 60, f"bricks of {name} online", 2)
        other.shell("gluster volume heal shared full")
        wait_for(lambda: root.shell("cat /bricks/brick1/shared/while-away 2>/dev/null", check=False) == "three\n", 90, "healed file", 2)
    except TimeoutError:
        return other.shell("gluster peer status; gluster volume status shared; gluster volume heal shared info summary", check=False) + \
            root.shell("gluster peer status; tail -20 /var/log/glusterfs/glusterd.log", check=False)
    left = root.shell("gluster peer status")
    return "" if left.count("Peer in Cluster (Connected)") == 2 else left


# --- Slurm --------------------------------------------------------------------------------------

def ctl(cluster):
    """A controller that has power."""
    return next(r for n, r in cluster.roots.items() if n.startswith("ctl-") and r.nspawn.poll() is None)


def nodes_idle(cluster):
    def idle():
        return ctl(cluster).shell("timeout 20 sinfo -h -N -o '%N %t' | sort -u", check=False).split() == [
            "cpu-1", "idle", "cpu-2", "idle", "gpu-1", "idle"]
    try:
        wait_for(idle, 120, "idle nodes", 1)
        return ""
    except TimeoutError:
        return ctl(cluster).shell("timeout 20 sinfo -N -l; timeout 20 scontrol show node; "
                                  "tail -20 /var/log/slurm/slurmctld.log", check=False)


def logs_are_rotated(cluster):
    """As logrotate does it: the file gets another name, then the rule's own words are run."""
    root, wrong = ctl(cluster), []
    for service in ("slurmctld", "slurmdbd"):
        log, rule = f"/var/log/slurm/{service}.log", f"sed -n '/postrotate/,/endscript/{{//!p}}' /etc/logrotate.d/{service}"
        before = root.shell(f"systemctl show -P MainPID {service}; grep -c SIGHUP {log}", check=False)
        root.shell(f'mv {log} {log}.1 && sh -ec "$({rule})"')
        wait_for(lambda: root.shell(f"ls {log} 2>/dev/null", check=False), 20, f"new {log}", 0.5)
        after = root.shell(f"systemctl show -P MainPID {service}; grep -c SIGHUP {log}.1", check=False)
        wrong += [] if after == before else [f"{service}: {before} -> {after}", root.shell(f"tail -5 {log}.1 {log}")]
    return "\n".join(wrong)


def submit(cluster, job, *options):
    """As a user on the login node."""
    words = " ".join(options)
    said = cluster.roots["login-1"].shell(
        f"cd /tmp && runuser -u admin -- timeout 60 sbatch --parsable {words} /opt/jobs/{job}")
    return said.strip().split(";")[0]


def accounted(cluster, job, seconds=90):
    def ended():
        row = ctl(cluster).shell(f"timeout 30 sacct -nPX -j {job} -o State,NodeList,AllocTRES", check=False)
        return row if re.match(r"(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)", row) else ""
    return wait_for(ended, seconds, f"job {job} in accounting", 1)


def bring_jobs(cluster):
    cluster.roots["login-1"].shell("mkdir -p /shared_gluster/date /shared_gluster/gpu-sample && "
                                   "chmod 1777 /shared_gluster/date /shared_gluster/gpu-sample && mkdir -p /opt/jobs")
    for job in (cluster.site / "deploy/jobs").iterdir():
        cluster.roots["login-1"].write(f"/opt/jobs/{job.name}", job.read_text(), 0o755)


def same_user_everywhere(cluster):
    """Users are the operator's to make: here the image's own has the same id on every machine."""
    ids = {root.shell("id -u admin") for name, root in cluster.roots.items() if name != "db"}
    return "" if len(ids) == 1 else str(ids)


def sample_job_runs(cluster):
    bring_jobs(cluster)
    job = submit(cluster, "sample.slurm")
    row = accounted(cluster, job)
    out = cluster.roots["login-1"].shell(f"cat /shared_gluster/date/{job}.out", check=False)
    return "" if row.startswith("COMPLETED") and re.match(r"(cpu|gpu)-\d\n", out) else f"{row}{out}"


def database_by_tls(cluster):
    db, login = cluster.roots["db"], "mysql -h 10.20.40.40 -u slurm -pof-the-database -sN -e 'select 1' 2>&1 | tail -1"
    there = db.shell("mysql -sN -e \"select count(*) from information_schema.processlist where user='slurm'\"").strip()
    by_tls = db.shell(login.replace("-sN", "-sN --ssl")).strip()
    plain = db.shell(login.replace("-sN", "-sN --skip-ssl")).strip()
    return "" if int(there) > 0 and by_tls == "1" and plain.startswith("ERROR") else f"{there} {by_tls} {plain}"


def gpu_job_is_profiled(cluster):
    gpu = cluster.roots["gpu-1"]
    job = submit(cluster, "gpu-sample.slurm", "--cpus-per-task=1")
    row = accounted(cluster, job)
    found = wait_for(lambda: gpu.shell(f"cat /var/log/slurm/dcgm/{job}.txt", check=False), 20, "DCGM's figures")
    end = time.monotonic() + 20  # the epilog cleans up after it has written them
    while (left := gpu.shell("ls /run/dcgmi /run | grep -E '^(group|job)-|dcgm-job'", check=False)):
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    if row.startswith("COMPLETED") and "gres/gpu=1" in row and "SM Utilization" in found and not left:
        return ""
    return f"{row}\n{found}\nleft over: {left}\n{gpu.shell('cat /var/log/dcgmi.calls', check=False)}"


def gpu_is_ready(cluster):
    gpu = cluster.roots["gpu-1"]
    said = gpu.shell("dpkg-query -W -f='${Package} ${Version}\\n' 'cuda-drivers*' 'nvidia-*'; cat /opt/amazon/efa_installed_packages; "
                     "systemctl is-active nvidia-persistenced nvidia-fabricmanager nvidia-dcgm; "
                     "systemctl show nvidia-persistenced -p StopWhenUnneeded; "
                     "journalctl -u nvidia-persistenced --no-pager -o cat", check=False)
    good = "580." not in said and "nvidia-persistenced 570" in said and pinned("efa_installer_version") in said
    kept = "StopWhenUnneeded=no" in said and "Enabled persistence mode" in said
    return "" if good and kept and said.count("active\n") == 3 and "inactive" not in said else said


def forged_efa_is_refused(cluster):
    """AWS's file with one byte more, on a node that has no EFA yet."""
    gpu = cluster.roots["gpu-1"]
    gpu.shell("mv /opt/amazon/efa_installed_packages /tmp && rm -rf /opt/aws-efa-installer /var/cache/aws-efa-*")
    archive = cluster.efa_archive
    whole = archive.read_bytes()
    archive.write_bytes(whole + b"x")
    status, output = cluster.play("play-install-nvidia-drivers.yml")
    unpacked = gpu.shell("ls /opt/aws-efa-installer /opt/amazon/efa_installed_packages 2>/dev/null", check=False)
    archive.write_bytes(whole)
    again, then = cluster.play("play-install-nvidia-drivers.yml")
    if status and "BAD signature" in output and not unpacked and not again:
        return ""
    return f"{status} {unpacked}\n{output[-2500:]}\n{then[-1500:] if again else ''}"


def hanging_dcgm_is_not_in_the_way(cluster):
    gpu = cluster.roots["gpu-1"]
    gpu.shell("touch /run/dcgmi.hangs")
    start = time.monotonic()
    try:
        row = accounted(cluster, submit(cluster, "gpu-sample.slurm", "--cpus-per-task=1"), 150)
    finally:
        gpu.shell("rm /run/dcgmi.hangs")
    state = ctl(cluster).shell("timeout 20 sinfo -h -n gpu-1 -o %t")
    if row.startswith("COMPLETED") and "drain" not in state and time.monotonic() - start < 120:
        return ""
    return f"{row}\n{state}\n{time.monotonic() - start:.0f} s"


def hold(cluster):
    """RC_ROOTS_HOLD=FILE: the machines stay up for a person to look at, until FILE is removed."""
    name = os.environ.get("RC_ROOTS_HOLD")
    if name:
        Path(name).write_text(str(cluster.folder))
        while Path(name).exists():
            time.sleep(0.5)


def main(rendered, packages):
    check = Checks()
    with Cluster(rendered) as cluster:
        try:
            run_all(check, cluster, packages)
        finally:
            hold(cluster)
    return 1 if check.failed else 0


def run_all(check, cluster, packages):
    # They use the questions of this file.
    from tests.roots import check_half_built as half_built, check_healing as healing, check_rights as rights
    from tests.roots.check_controller import run_controller
    from tests.roots.check_password import password_changes
    from tests.roots import check_upgrade as upgrade
    if not check("the machines of the inventory boot, AWS's side is made from the applied state",
                 cluster.build, Path(packages)):
        print(tail(cluster.folder / "emulator.log"), file=sys.stderr)
        return
    check("a play refuses machines that nobody has met", strangers_are_refused, cluster)
    if not check("they are met by the words of the README", machines_are_met, cluster):
        return
    check("site.yml --check ends well on fresh machines", play_ends_well, cluster, "site.yml", "--check")
    for play in PLAYS:
        host = LOST_POWER.get(play)
        if host:
            check(f"{play} ends well on {host}, which has lost its power while packages were unpacked",
                  half_built.power_is_cut, cluster, play, host)
        elif not check(f"{play} ends well", play_ends_well, cluster, play):
            return
    check("site.yml, all plays a second time, changes nothing", changes_nothing, cluster, "site.yml")
    check("every machine keeps its clock by Amazon's time service", clocks_are_kept, cluster, *cluster.hosts)
    check("no secret is in output, process lists, journals or readable files", rights.secrets_stay_secret, cluster)
    check("the drivers are of the pinned branch, their services run, EFA is of the pinned release", gpu_is_ready, cluster)
    check("an EFA installer with a wrong signature is not run", forged_efa_is_refused, cluster)
    check("the exports are parsed, served, written and read by NFS", nfs_serves, cluster)
    check("the NFS server has 64 threads and its buffers", nfs_is_tuned, cluster)
    check("the file servers tell how full they are", room_is_told, cluster)
    check("a file in /shared_gluster is on all three bricks", volume_replicates, cluster)
    check("a file written while a server is away heals when it is back", volume_heals, cluster)
    check("a GlusterFS server that is made again gets its brick and its place back, by the words of the runbook",
          server_is_made_again, cluster)
    check("users have the same id on every machine", same_user_everywhere, cluster)
    check("every node registers and is idle", nodes_idle, cluster)
    check("a rotation opens the logs of slurmctld and slurmdbd anew, and is no new configuration", logs_are_rotated, cluster)
    check("sample.slurm runs, its output is in /shared_gluster, sacct knows it", sample_job_runs, cluster)
    check("slurmdbd talks to the database by TLS, which plain text cannot", database_by_tls, cluster)
    check("RDS changes the password: slurmdbd follows on both controllers, accounting goes on", password_changes, cluster)
    check("a GPU job is profiled by prolog and epilog", gpu_job_is_profiled, cluster)
    check("a DCGM that hangs neither keeps the job nor drains the node", hanging_dcgm_is_not_in_the_way, cluster)
    check("the daemon finds its configuration right", healing.configuration_checks, cluster)
    check("the daemon leads", healing.daemon_leads, cluster)
    check("a node that AWS ends is replaced by a fresh machine, which cloud-init makes a node",
          healing.node_is_replaced, cluster)
    check("the replacement has mounts, names, agent and gate, and runs a job", healing.replacement_is_whole, cluster)
    check("the agents reach slurmctld, by the configuration that slurmd has fetched", healing.agents_reach_slurmctld,
          cluster, "cpu-1", cluster.made["compute"]["cpu-2"]["id"], "gpu-1")
    for node in ("cpu-1", "cpu-2"):  # by the role, and by cloud-init
        check(f"the daemon's user judges {node} as root by ssh", rights.daemon_may_judge_a_node, cluster, node)
        check(f"and can do nothing else as root on {node}", rights.daemon_may_do_no_more, cluster, node)
        check(f"a user signs in to {node} while a job of his runs there, and not before", rights.ssh_needs_a_job, cluster, node)
    check("instance metadata is root's on login node and nodes, also on the replacement", rights.metadata_is_for_root,
          cluster, "login-1", "cpu-1", cluster.made["compute"]["cpu-2"]["id"])
    check("the replacement keeps its clock too", clocks_are_kept, cluster, cluster.made["compute"]["cpu-2"]["id"])
    check("a login node mounts the configuration, read-only, and no more of the state", rights.login_sees_no_state, cluster)
    check("the daemon's unit verifies and is shut in, with the role's additions", rights.unit_is_shut_in, cluster)
    check("the plays finish a node with half-written files, a broken unit and a missing package",
          half_built.node_is_finished, cluster)
    check("the plays finish a standby controller of that kind", half_built.standby_controller_is_finished, cluster)
    check("a newer release is installed, daemon and agents start anew, slurmd and its job go on",
          upgrade.packages_are_upgraded, cluster)
    # It may find something: one node is new, one server was started again.
    check("site.yml --check ends well on the cluster", play_ends_well, cluster, "site.yml", "--check")
    check("a job outlives the power of the active controller", healing.job_outlives_a_controller, cluster)
    check("the other controller takes new jobs", healing.fresh_job_runs_on_the_backup, cluster)
    run_controller(check, cluster)
    check("every role asked AWS for what its policies grant, the daemon for all of it", calls_are_granted, cluster)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
