"""A real Slurm cluster inside the namespaces that run.sh made: munged, slurmctld, and
one network namespace with a slurmd for each live node. Everything ends with the first
process of the PID namespace, so nothing here needs a clean-up for crashes."""

import os
import pathlib
import signal
import subprocess
import time

WORLD = pathlib.Path(os.environ["RC_WORLD"])
GATE = "10.213.0.1"
CONF = WORLD / "slurm.conf"


def sh(*argv, check=True):
    return subprocess.run(argv, check=check, capture_output=True, text=True).stdout


def node_addr(i):
    return f"10.213.{1 + i // 250}.{1 + i % 250}"


class World:
    """live: nodes with a slurmd (n1…), fake: nodes that never register (f1…). conf: lines
    of slurm.conf to add or replace. nodes: other resources of single live nodes."""

    def __init__(self, live=2, fake=0, conf=None, nodes=None):
        self.live, self.fake, self.conf, self.nodes = live, fake, conf or {}, nodes or {}
        self.procs, self.holders = {}, {}
        os.environ["SLURM_CONF"] = str(CONF)
        (WORLD / "state").mkdir()
        (WORLD / "spool").mkdir()
        self.network()
        self.write_conf()
        self.start_munged()
        self.start_slurmctld()
        for i in range(1, live + 1):
            self.start_slurmd(i)

    def network(self):
        sh("ip", "link", "set", "lo", "up")
        # Of its own, not that of a port which may go.
        sh("ip", "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge")
        sh("ip", "addr", "add", f"{GATE}/16", "dev", "br0")
        sh("ip", "link", "set", "br0", "up")
        # Fake nodes answer with "connection refused", at once.
        if self.fake:
            sh("ip", "route", "add", "local", "10.213.128.0/17", "dev", "lo")
        for i in range(1, self.live + 1):
            holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
            self.holders[i] = holder
            ours = os.readlink("/proc/self/ns/net")
            while os.readlink(f"/proc/{holder.pid}/ns/net") == ours:
                time.sleep(0.005)
            sh("ip", "link", "add", f"v{i}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
            sh("ip", "link", "set", f"v{i}", "master", "br0", "up")
            self.inside(i, f"ip link set lo up; ip addr add {node_addr(i)}/16 dev eth0; ip link set eth0 up")

    def on_node(self, i):
        """Words before a command that make it run in the node's network."""
        return ["nsenter", f"--net=/proc/{self.holders[i].pid}/ns/net"]

    def inside(self, i, script):
        return sh(*self.on_node(i), "sh", "-ec", script)

    def write_conf(self):
        lines = {
            "ClusterName": "rc",
            "SlurmctldHost": f"ctl({GATE})",
            "SlurmUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={WORLD}/munge.sock",
            "CredType": "cred/munge",
            "StateSaveLocation": f"{WORLD}/state",
            "SlurmdSpoolDir": f"{WORLD}/spool/%n",
            "SlurmctldPidFile": f"{WORLD}/slurmctld.pid",
            "SlurmdPidFile": f"{WORLD}/spool/%n.pid",
            "SlurmctldLogFile": f"{WORLD}/slurmctld.log",
            "SlurmdLogFile": f"{WORLD}/slurmd-%n.log",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "JobAcctGatherType": "jobacct_gather/none",
            "SwitchType": "switch/none",
            "MpiDefault": "none",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_CPU",
            "ReturnToService": "1",
            "SlurmctldTimeout": "300",
            "SlurmdTimeout": "300",
            "KillWait": "5",
            "JobRequeue": "1",
            **self.conf,
        }
        text = [f"{key}={value}" for key, value in lines.items()]
        names = [f"n[1-{self.live}]"]
        for i in range(1, self.live + 1):
            resources = self.nodes.get(i, "RealMemory=100")
            text.append(f"NodeName=n{i} NodeAddr={node_addr(i)} CPUs=1 {resources}")
        if self.fake:
            text.append(f"NodeName=f[1-{self.fake}] NodeAddr=10.213.128.1 CPUs=1 RealMemory=100")
            names.append(f"f[1-{self.fake}]")
        text.append(f"PartitionName=q Nodes={','.join(names)} Default=YES MaxTime=INFINITE "
                    "OverSubscribe=FORCE:4 State=UP")
        CONF.write_text("\n".join(text) + "\n")
        (WORLD / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")

    def start_munged(self):
        key = WORLD / "munge.key"
        if not key.exists():
            key.write_bytes(os.urandom(128))
            key.chmod(0o400)
        sh("munged", "--force", f"--key-file={key}", f"--socket={WORLD}/munge.sock",
           f"--pid-file={WORLD}/munged.pid", f"--log-file={WORLD}/munged.log",
           f"--seed-file={WORLD}/munge.seed")

    def stop_munged(self):
        pid = int((WORLD / "munged.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        self.wait(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "munged ends")

    def start_slurmctld(self, wait=True):
        log = open(WORLD / "slurmctld.out", "ab")
        self.procs["ctl"] = subprocess.Popen(["slurmctld", "-D"], stdout=log, stderr=log)
        if wait:
            self.wait(lambda: "UP" in sh("scontrol", "ping", check=False), "slurmctld answers")

    def stop_slurmctld(self, sig=signal.SIGTERM):
        self.procs["ctl"].send_signal(sig)
        self.procs["ctl"].wait(30)

    def signal_slurmctld(self, sig):
        self.procs["ctl"].send_signal(sig)

    def start_slurmd(self, i):
        (WORLD / "spool" / f"n{i}").mkdir(exist_ok=True)
        log = open(WORLD / f"slurmd-n{i}.out", "ab")
        self.procs[f"n{i}"] = subprocess.Popen(
            ["nsenter", f"--net=/proc/{self.holders[i].pid}/ns/net", "unshare", "--uts", "sh", "-c",
             f"hostname n{i} && exec slurmd -D -N n{i}"], stdout=log, stderr=log)
        self.wait(lambda: self.node(f"n{i}").get("SlurmdStartTime", "None") != "None", f"n{i} registers")

    @staticmethod
    def node(name):
        """scontrol's view of a node, as a dictionary."""
        text = sh("scontrol", "-o", "show", "node", name)
        fields = {}
        head, _, reason = text.strip().partition(" Reason=")
        for word in head.split():
            key, _, value = word.partition("=")
            fields[key] = value
        fields["Reason"] = reason
        return fields

    @staticmethod
    def wait(check, what, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if check():
                return
            time.sleep(0.05)
        raise TimeoutError(f"waited {seconds} s in vain: {what}")
