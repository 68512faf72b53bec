"""The controller of a real-parts world: munged and slurmctld, and what they say."""
import re
import time

from tests.real.lifeline import run

CONTROLLER, CONTROLLER_ADDR = "ctl", "10.77.0.1"
# For one part to come up, on a machine that has little time for it.
START_S = 180

# cred_expire also is how long a requeued job waits before it may start again.
SLURM_CONF = """ClusterName={cluster}
SlurmctldHost={controller}({addr})
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir=/run/slurmd
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
# A small cluster can afford to look for work every other second.
SchedulerParameters=sched_interval=2,bf_interval=2
ReturnToService=1
# Slurm's own fail-over is off: it fences nobody.
SlurmctldTimeout=65533
SlurmdTimeout=60
SlurmdParameters=config_overrides
CommunicationParameters=NoAddrCache
NodeName={nodes} NodeAddr={addrs} CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=gpu Nodes={nodes} Default=YES MaxTime=INFINITE State=UP
"""

NODE_FIELD = re.compile(r"(NodeName|NodeAddr|State|Reason|SlurmdStartTime)=(.*?)(?= \w+=|$)", re.M)


class Slurm:
    def __init__(self, world):
        self.world = world
        self.conf = world.folder / "etc" / "slurm.conf"

    def write_conf(self, nodes, addrs):
        folder = self.world.folder
        for name in ("etc", "state", "munge", "log", "jobs"):
            (folder / name).mkdir(exist_ok=True)
        self.conf.write_text(SLURM_CONF.format(
            cluster=self.world.cluster, controller=CONTROLLER, addr=CONTROLLER_ADDR,
            folder=folder, nodes=nodes, addrs=addrs), encoding="ascii")
        # Without a cgroup file slurmd looks for cgroups, which a container may not have.
        (folder / "etc" / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n", encoding="ascii")

    def start(self):
        folder, life = self.world.folder, self.world.lifeline
        key = folder / "munge" / "key"
        with open("/dev/urandom", "rb") as random:
            key.write_bytes(random.read(128))
        key.chmod(0o400)
        (folder / "munge").chmod(0o711)
        with open(folder / "log" / "controller.log", "ab") as log:
            life.spawn(["munged", "--foreground", "--force", f"--key-file={key}",
                        f"--socket={folder}/munge/socket", f"--pid-file={folder}/munge/pid",
                        f"--log-file={folder}/log/munged.log",
                        f"--seed-file={folder}/munge/seed"], stdout=log, stderr=log)
            wait_for(lambda: (folder / "munge" / "socket").exists(), 10, "munged")
            life.spawn(["unshare", "--uts", "sh", "-c",
                        f"hostname {CONTROLLER} && exec slurmctld -D"],
                       env=self.world.env(), stdout=log, stderr=log)
        wait_for(lambda: "UP" in self.command("scontrol", "ping", check=False).stdout, START_S,
                 "slurmctld")

    def command(self, *words, **options):
        return run(*words, env=self.world.env(), **options)

    def nodes(self):
        """name -> {"state": set of flags, "addr", "reason", "started"}"""
        found = {}
        for record in self.command("scontrol", "-o", "show", "nodes").stdout.splitlines():
            field = {key: value.strip() for key, value in NODE_FIELD.findall(record)}
            state = set(field["State"].rstrip("*").split("+"))
            found[field["NodeName"]] = {
                "state": state - {"NOT_RESPONDING"},
                "responding": not ("*" in field["State"] or "NOT_RESPONDING" in state),
                "addr": field.get("NodeAddr", ""), "reason": field.get("Reason", ""),
                "started": field.get("SlurmdStartTime", "None")}
        return found

    def submit(self, seconds, node, count=1, begin="now"):
        """A job of count whole nodes; node: a host list."""
        script = f"#!/bin/sh\nsrun sleep {seconds}\n" if count > 1 else f"#!/bin/sh\nsleep {seconds}\n"
        out = self.command("sbatch", "--parsable", "--requeue", f"-N{count}", f"-n{count}",
                           "--exclusive", f"--nodelist={node}", f"--begin={begin}", "--job-name=story",
                           f"--output={self.world.folder}/jobs/%j.out", input=script).stdout
        return int(out.strip().split(";")[0])

    def job(self, job_id):
        """{"id", "state", "node"}; state UNKNOWN when slurmctld has forgotten it."""
        out = self.command("scontrol", "-o", "show", "job", job_id, check=False).stdout
        state = re.search(r"JobState=(\w+)", out)
        node = re.search(r" NodeList=(\S+)", out)
        return {"id": job_id, "state": state[1] if state else "UNKNOWN",
                "node": node[1] if node and node[1] != "(null)" else None}


def wait_for(condition, seconds, what, step_s=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(step_s)
    raise RuntimeError(f"{what}: not ready within {seconds} s")
