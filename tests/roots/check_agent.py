"""The agent of a compute node in its shipped unit, on a booted root: what the unit leaves it to see and to do.

check_agent SUITE PACKAGE: needs root; PACKAGE is slurm-on-aws-node of that Debian release. munge, slurmctld and
slurmd of the release run on the same machine. The kernel's log is the real one, which all machines here
share: nothing is written to it. One line a check.
"""
import json
import re
import shutil
import sys
import time
from pathlib import Path

from tests.roots.checks import Checks
from tests.roots.root_world import RootWorld, wait_for

NODE, ADDR = "gpu-7", "10.20.50.7"
DISK = "/dev/nvme1n1"
LOG = "/var/log/slurm/slurmd.log"
LOOKED_S = 8     # every probe has looked, and looked again at what it found
READONLY_S = 140  # the period of that look, and some more
CONF = f"""ClusterName=agent
SlurmctldHost={NODE}({ADDR})
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmdLogFile={LOG}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=1
NodeName={NODE} NodeAddr={ADDR} CPUs=1 RealMemory=100
PartitionName=q Nodes={NODE} Default=YES State=UP
"""


class Machine:
    def __init__(self, root, package):
        self.root, self.package = root, package

    def shell(self, script, check=True):
        return self.root.shell(script, check)

    def install(self):
        """As the roles do: Slurm from the distribution, ours beside it, one configuration."""
        root = self.root
        shutil.copy(self.package, root.tree / "opt/node.deb")
        root.write("/etc/hostname", NODE + "\n")
        root.write("/etc/hosts", f"127.0.0.1 localhost\n{ADDR} {NODE}\n")
        root.write("/etc/slurm/slurm.conf", CONF)
        root.write("/etc/slurm/cgroup.conf", "CgroupPlugin=disabled\n" if root.world.suite != "bookworm" else "")
        self.options("")
        root.world.power_on(NODE)
        self.shell("apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "
                   "slurmctld slurmd slurm-client munge xfsprogs /opt/node.deb")
        # nspawn lays a boot id of its own over the kernel's; the unit's view of /proc/sys has the kernel's.
        self.shell("umount /proc/sys/kernel/random/boot_id")
        self.shell("mkdir -p /var/lib/slurm/slurmctld /var/lib/slurm/slurmd /var/log/slurm && "
                   "chown -R slurm: /var/lib/slurm /var/log/slurm")
        self.shell("systemctl daemon-reload; systemctl restart munge && systemctl restart slurmctld slurmd && "
                   "systemctl restart nodewatch")
        wait_for(lambda: self.state() == "IDLE", 60, "node in service", 0.5)

    def options(self, words):
        self.root.write("/etc/default/slurm-on-aws-node",
                        f'NODEWATCH_ADMIT_OPTIONS="--conf /etc/slurm/slurm.conf"\nNODEWATCH_WATCH_OPTIONS="{words}"\n')

    def shown(self):
        return self.shell(f"timeout 20 scontrol -o show node {NODE}", check=False)

    def state(self):
        found = re.search(r" State=(\S+)", self.shown())
        return found[1] if found else ""

    def reason(self):
        """Of a drain."""
        found = re.search(r" Reason=(.*?) \[", self.shown())
        return found[1] if found and "DRAIN" in self.state() else ""

    def resume(self):
        self.shell(f"scontrol update nodename={NODE} state=resume")
        wait_for(lambda: self.state() == "IDLE", 20, "node that was taken back", 0.5)

    def pid(self):
        return int(self.shell("systemctl show -P MainPID nodewatch"))

    def boot(self):
        return self.shell("cut -c1-8 /proc/sys/kernel/random/boot_id").strip()

    def journal(self):
        return self.shell("journalctl -u nodewatch --no-pager -o cat -n 30", check=False)

    def is_drained(self, reason, seconds=30):
        try:
            wait_for(lambda: self.reason() == f"rc:0 {reason} boot={self.boot()}", seconds, "drain", 0.5)
            return ""
        except TimeoutError:
            return self.shown() + self.journal()

    def stays_in_service(self):
        time.sleep(LOOKED_S)
        return "" if self.state() == "IDLE" else self.shown() + self.journal()


def runs_and_drains_nobody(m):
    """The unit makes every mount read-only for it; that is no fault of the machine."""
    wrong = m.stays_in_service()
    said = m.shell(f"ls -l /proc/{m.pid()}/fd; stat -c '%U %a' /run/nodewatch/state; systemctl show -P NRestarts nodewatch; "
                   "systemctl show -P ProtectSystem nodewatch; systemctl is-active slurmd")
    lines = said.splitlines()
    if "/dev/kmsg" not in said or lines[-4:] != ["root 600", "0", "strict", "active"]:
        wrong += said + m.journal()
    return wrong


def rotated_log_is_opened_anew(m):
    """logrotate's unit with nothing but a rotation in it: what comes after it is the package's."""
    m.root.write("/etc/systemd/system/logrotate.service", f"[Service]\nType=oneshot\nExecStart=mv {LOG} {LOG}.1\n")
    m.shell("systemctl daemon-reload && systemctl start logrotate")
    opened = "readlink /proc/$(systemctl show -P MainPID slurmd)/fd/*"
    try:
        wait_for(lambda: LOG in m.shell(opened, check=False).split(), 10, "new log", 0.5)
        return ""
    except TimeoutError:
        return m.shell(opened, check=False)


def readonly_file_system_is_found(m):
    """It was mounted after the agent had its own view of the mounts."""
    m.shell(f"mkfs.xfs -q -f {DISK} && mkdir -p /scratch && mount {DISK} /scratch && touch /scratch/file")
    if wrong := m.stays_in_service():
        return wrong
    m.shell("mount -o remount,ro /scratch")
    return m.is_drained("fs:readonly /scratch", READONLY_S)


def is_not_drained_again(m):
    """A person takes the node back as it is; the agent dies, and the health check comes by."""
    m.resume()
    before = m.pid()
    m.shell(f"kill -9 {before}")
    wait_for(lambda: m.pid() not in (0, before), 20, "agent that is started again")
    wrong = m.stays_in_service()
    m.shell("/usr/libexec/slurm-on-aws/health-check")
    return wrong or ("" if m.state() == "IDLE" else m.shown())


def missing_gpus_are_told_by_all(m):
    """What the node must have stands in one file; agent, health check and gate read it."""
    m.shell("umount /scratch")
    m.options("--gpus 8")
    m.shell("systemctl restart nodewatch")
    if wrong := m.is_drained("gpu:missing"):
        return wrong
    said = json.loads(m.shell("nodewatch check --json", check=False))
    told = [f["class"] for p in said["probes"] for f in p["findings"] if f["kind"] == "fault"]
    if "gpu:missing" not in told:
        return str(told)
    m.shell("systemctl stop nodewatch; rm /run/nodewatch/state", check=False)
    m.resume()
    m.shell("/usr/libexec/slurm-on-aws/health-check")
    return m.is_drained("gpu:missing", 5)


def main(suite, package):
    check = Checks()
    with RootWorld(suite) as world:
        world.open()
        root = world.add(NODE, ADDR)
        root.binds.append((world.disk(400, "scratch"), DISK))
        m = Machine(root, package)
        if check(f"the node package's units come up beside {suite}'s Slurm", m.install):
            for sentence, function in (
                    ("the agent in its unit hears the kernel and drains nobody for the unit's own read-only view",
                     runs_and_drains_nobody),
                    ("slurmd opens its log anew after a rotation", rotated_log_is_opened_anew),
                    ("the agent in its unit finds a file system that was mounted later and is read-only now, and drains",
                     readonly_file_system_is_found),
                    ("a node that was taken back is not drained again by an agent that died, nor by the health check",
                     is_not_drained_again),
                    ("agent, health check and gate miss the same GPUs", missing_gpus_are_told_by_all)):
                check(f"{sentence} ({suite})", function, m)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
