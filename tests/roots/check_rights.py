"""Who may do and see what on the booted cluster: the daemon's user on nodes, its unit, the secrets."""
import base64

from tests.roots.root_world import wait_for

AS_ROOT = "/usr/libexec/slurm-on-aws/as-root"
GATE = f"sudo -n {AS_ROOT} gate probes=check since=600 level=1 left=60"
# What somebody with the daemon's key would try.
REFUSED = [
    "sudo -n id", "sudo -n sh -c id", "sudo -n -u munge id", "sudo -n systemctl stop slurmd", f"sudo -n {AS_ROOT} sh",
    f"sudo -n {AS_ROOT} ../../bin/id", f"sudo -n {AS_ROOT} gate 'probes=check;id'", f"sudo -n {AS_ROOT} gate sys=/tmp",
    f"sudo -n {AS_ROOT} gate PATH=/tmp", f"sudo -n ENV=/tmp/rc {AS_ROOT} gate", f"sudo -n LD_PRELOAD=/tmp/x.so {AS_ROOT} gate",
    "sudo -n sh /usr/libexec/slurm-on-aws/gate.sh", "cat /etc/munge/munge.key", "cat /etc/shadow",
    "echo true >>/usr/libexec/slurm-on-aws/gate.sh", f"echo true >>{AS_ROOT}",
]


def as_daemon(cluster, node, command):
    """From the controller, as the daemon's user with the daemon's key: (status, output)."""
    ctl, addr = cluster.roots["ctl-1"], cluster.hosts[node][1]
    done = ctl.run("runuser", "-u", "slurm", "--", "ssh", "-i", "/etc/slurm-on-aws/probe_ed25519", "-o", "BatchMode=yes",
                   "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                   f"slurm-on-aws@{addr}", command, check=False)
    return done.returncode, done.stdout + done.stderr


def daemon_may_judge_a_node(cluster, node):
    """The gate, a GPU reset and the evidence run as root, by the words that the daemon sends."""
    wrong = []
    for words, want in ((GATE, "rc-gate-end"), (f"sudo -n {AS_ROOT} gpu_reset device= boot=00000000 left=5", "rc-reset ok"),
                        (f"sudo -n {AS_ROOT} forensics part_max=1000 bug_report=0 left=20 | tar tz", "node/kernel.log")):
        status, said = as_daemon(cluster, node, words)
        if status or want not in said:
            wrong.append(f"{words}: status {status}: {said}")
    status, said = as_daemon(cluster, node, GATE)
    if "rc-probe check unknown" in said or "rc-probe check" not in said:
        wrong.append(said)
    return "\n".join(wrong)


def daemon_may_do_no_more(cluster, node):
    _, listed = as_daemon(cluster, node, "sudo -n -l")
    allowed = [line.strip() for line in listed.splitlines() if line.strip().startswith("(")]
    wrong = [] if allowed == [f"(root) NOPASSWD: {AS_ROOT}"] else [listed]
    for words in REFUSED:
        status, said = as_daemon(cluster, node, words)
        if status == 0:
            wrong.append(f"was let through: {words}: {said}")
    return "\n".join(wrong)


def metadata_is_for_root(cluster, *machines):
    """A user's program cannot take the credentials of the instance's role, which may read the munge key."""
    wrong = []
    ask = "curl -s -m 5 -o /dev/null -w %{http_code} -X PUT -H X-aws-ec2-metadata-token-ttl-seconds:60 http://169.254.169.254/latest/api/token"
    for name in machines:
        root = cluster.roots[name]
        for user, want in (("root", "200"), ("admin", "000"), ("nobody", "000")):
            said = root.run("runuser", "-u", user, "--", *ask.split(), check=False).stdout
            wrong += [] if said == want else [f"{name}: {user} gets {said!r}"]
    return "\n".join(wrong)


def ssh_needs_a_job(cluster, node, user="ann"):
    """A user of ours, the same on every machine, from the login node. Here without a control group to be put into."""
    login, address = cluster.roots["login-1"], cluster.hosts[node][1]
    root = cluster.roots.get(cluster.made["compute"][node]["id"], cluster.roots[node])
    for machine in (login, root, cluster.roots["ctl-1"], cluster.roots["ctl-2"]):
        machine.shell(f"id -u {user} 2>/dev/null || useradd -m -u 2000 -s /bin/bash {user}")
    as_user = f"cd /tmp && runuser -u {user} --"
    login.shell(f"{as_user} sh -c 'mkdir -p -m 700 ~/.ssh; [ -e ~/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N \"\" -f ~/.ssh/id_ed25519'")
    key = login.shell(f"cat ~{user}/.ssh/id_ed25519.pub").strip()
    root.shell(f"install -d -m 700 -o {user} ~{user}/.ssh && echo '{key}' >~{user}/.ssh/authorized_keys && "
               f"chown {user}: ~{user}/.ssh/authorized_keys")

    def comes_in():
        return login.shell(f"{as_user} ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                           f"-o LogLevel=ERROR {address} 'echo inside of $SLURM_JOB_ID' 2>&1", check=False).strip()
    without = comes_in()
    job = login.shell(f"{as_user} sbatch --parsable -w {node} -p cpu -o /dev/null --wrap 'sleep 300'").strip()
    try:
        wait_for(lambda: root.shell(f"pgrep -f '[s]lurmstepd: .{job}.extern'", check=False), 60, "step of the job", 0.5)
        during = comes_in()
    finally:
        login.shell(f"{as_user} scancel {job}")
    if "inside" not in without and during == f"inside of {job}":
        return ""
    return f"without a job: {without}\nwith {job}: {during}\n" + root.shell(
        "grep -A3 BEGIN /etc/pam.d/sshd; journalctl -u ssh -n 20 --no-pager -o cat", check=False)


def login_sees_no_state(cluster):
    """The configuration, to read; not what slurmctld keeps of jobs."""
    said = cluster.roots["login-1"].shell("grep -E ' (/etc/slurm|/var/spool/slurm-shared) ' /etc/fstab; ls /etc/slurm /var/spool/slurm-shared 2>&1",
                                          check=False)
    fstab = said.splitlines()[0].split()
    good = fstab[0].endswith(":/etc") and "ro" in fstab[3].split(",") and "slurm.conf" in said and "No such file" in said
    return "" if good and "clustername" not in said else said


def unit_is_shut_in(cluster):
    """With what the role has added to it; 20 is 2.0 of systemd's scale."""
    done = cluster.roots["ctl-1"].run("systemd-analyze", "security", "--no-pager", "--threshold=20",
                                      "reconcilerd.service", check=False)
    verified = cluster.roots["ctl-1"].run("systemd-analyze", "verify", "reconcilerd.service", check=False)
    return "" if done.returncode == 0 and not verified.stderr.strip() else done.stdout[-1500:] + verified.stderr


def secrets_of(cluster):
    """Name -> every form in which it could leak."""
    munge = (cluster.roots["ctl-1"].tree / "etc/munge/munge.key").read_bytes()
    peer = (cluster.roots["ctl-1"].tree / "etc/slurm-on-aws/peer.key").read_bytes().strip()
    probe = (cluster.site / "deploy/ansible/.probe_ed25519").read_bytes().splitlines()[2]
    encoded = base64.b64encode(munge)
    return {"the database's password": [b"of-the-database", base64.b64encode(b"of-the-database")],
            "the munge key": [munge[:32], encoded[:40], base64.b64encode(encoded)[:40]],
            "the key of the daemons' link": [peer, base64.b64encode(peer + b"\n")[:40]],
            "the probe's private key": [probe, base64.b64encode(probe)[:40]]}


def secrets_stay_secret(cluster):
    """Not in what Ansible printed, not in any process's words, not in a journal, not in a file all may read."""
    printed, wrong = (cluster.folder / "plays.log").read_bytes(), []
    journals = {name: root.run("journalctl", "--no-pager", "-q", "-o", "cat", check=False).stdout.encode()
                for name, root in cluster.roots.items() if root.leader}
    for secret, forms in secrets_of(cluster).items():
        for form in forms:
            if form in printed:
                wrong.append(f"{secret} is in Ansible's output")
            if cluster.words.shows(form):
                wrong.append(f"{secret} is in a process's words")
            wrong += [f"{secret} is in the journal of {name}" for name, text in journals.items() if form in text]
    if not cluster.words.shows(b"cluster-aws\0munge") or b"PLAY RECAP" not in printed:
        wrong.append("the watch has seen nothing")
    for name, root in cluster.roots.items():
        if name != "db" and root.leader:
            wrong += readable_by_all(name, root)
    return "\n".join(sorted(set(wrong)))


def readable_by_all(name, root):
    said = root.shell("for f in /etc/munge/munge.key /etc/slurm/slurmdbd.conf /etc/slurm-on-aws/peer.key "
                      "/etc/slurm-on-aws/probe_ed25519; do [ ! -e $f ] || stat -c '%a %n' $f; done")
    return [f"{name}: {line}" for line in said.splitlines() if line.split()[0] not in ("400", "600")]
