"""A cluster with two controllers on one machine: each is an instance of its own, with
munged, slurmctld and reconcilerd; they share the state directory, as over a file server.

head1 is the first in slurm.conf. head2's daemon comes up first, so that it leads.
"""
import json
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

from simulator.demo import policy
from tests.real.lifeline import end_process, run, start_time
from tests.real.slurm import CONTROLLER_ADDR, SLURM_CONF, START_S, wait_for
from tests.real.world import AWS_PORT, TAG, RealWorld, programs
from tests.real.writers import Writers, namespace_named, namespace_of

HEADS = ("head1", "head2")
PEER_PORT = 6825
REJECT = Path(__file__).with_name("reject.sh").absolute()


class PairWorld(RealWorld):
    """restart: the unit of slurmctld restarts it (Restart=on-failure)."""

    def __init__(self, restart=False, daemons=True, lease_term="10s", slurmctld_timeout=65533,
                 failovers=None, main_scheduler="sched_interval=2"):
        super().__init__()
        self.main_scheduler = main_scheduler
        self.restart, self.daemons, self.lease_term = restart, daemons, lease_term
        self.slurmctld_timeout = slurmctld_timeout
        # Longer than an instance of this world takes to boot on a busy machine, else it is
        # switched off again.
        self.policy = {"lost": "10s", **({"failovers": failovers} if failovers else {})}
        self.heads = {}  # name -> {"id", "addr"}
        self.writers = None

    # --- making -----------------------------------------------------------------

    def boot_script(self, node):
        return "controller.sh" if node in HEADS else "instance.sh"

    def boot_env(self, node, instance):
        if node not in HEADS:
            return {}
        if instance != self.heads[node]["id"]:
            self.take_name(node, instance)
        return {"RC_WORLD": str(self.folder), "RC_BIN": str(programs()),
                "RC_INDEX": str(HEADS.index(node)), "RC_INSTANCE": instance,
                "RC_RESTART": str(int(self.restart)), **self.aws_env(CONTROLLER_ADDR)}

    def take_name(self, head, instance):
        """A controller that was launched anew gets its files, as from its user data."""
        self.heads[head] = {"id": instance, "addr": self.maker.machines[instance].addr}
        self.write_daemon(head)

    def aws_env(self, host="127.0.0.1"):
        return {**super().aws_env(), "AWS_ENDPOINT_URL": f"http://{host}:{AWS_PORT}"}

    def open(self, node_count=2):
        self.network()
        self.start_emulator()
        self.aws = self.emulator("seed", cluster=self.cluster, type=self.instance_type)
        names = [f"gpu-{i}" for i in range(1, node_count + 1)]
        for name in HEADS + tuple(names):
            tags = {f"{TAG}cluster": self.cluster, f"{TAG}node": name}
            made = self.emulator("launch", subnet=self.aws["subnets"][0], tags=tags,
                                 template=self.aws["template"])
            (self.heads if name in HEADS else self.seeded)[name] = made
        self.write_conf(names)
        self.make_login_key()
        self.make_secrets()
        for head in HEADS:
            self.write_daemon(head)
        (self.head_folder("head1") / "daemon.off").touch()
        # Shared, as by a file server, whose room can run out.
        self.lifeline.mount_tmpfs(self.folder / "state", "64m")
        self.writers = Writers(self.folder / "state", self.host_of)
        self.writers.start()
        # Clients that ask before anybody serves retry at their own pace: a node's gate waits 20 s.
        self.maker.unpowered = set(names)
        self.maker.start()
        if not self.daemons:
            (self.head_folder("head2") / "daemon.off").touch()
        else:
            wait_for(lambda: self.status("head2").get("lease", {}).get("held"), START_S,
                     "the lease of head2's daemon")
            (self.head_folder("head1") / "daemon.off").unlink()
            wait_for(lambda: self.primary() == "head1", START_S, "the leader's word to head1", 0.1)
        if not self.daemons:
            self.allow("head1")
        wait_for(self.answers, START_S, "slurmctld")
        self.maker.unpowered = set()
        wait_for(self.all_idle, START_S, "slurmd on every node", 0.2)

    def write_conf(self, names):
        self.slurm.write_conf("gpu-[1-2]", "x")  # makes the folders and cgroup.conf
        text = SLURM_CONF.format(
            cluster=self.cluster, controller="X", addr="X", folder=self.folder,
            nodes=f"gpu-[1-{len(names)}]", addrs=",".join(self.seeded[n]["addr"] for n in names))
        hosts = "\n".join(f"SlurmctldHost={h}({self.heads[h]['addr']})" for h in HEADS)
        text = text.replace("SlurmctldHost=X(X)", hosts)
        text = text.replace(f"{self.folder}/slurmctld.pid", "/run/slurmctld.pid")
        text = text.replace(f"{self.folder}/log/slurmctld.log", "/run/slurmctld.log")
        text = text.replace("sched_interval=2", self.main_scheduler)
        # As shipped: nodes that a cut-off primary does not reach for a minute are not lost.
        text = text.replace("SlurmdTimeout=60", "SlurmdTimeout=300")
        text = text.replace("SlurmctldTimeout=65533", f"SlurmctldTimeout={self.slurmctld_timeout}")
        self.slurm.conf.write_text(text, encoding="ascii")

    def make_secrets(self):
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        (self.folder / "munge").chmod(0o711)
        peer = self.folder / "peer.key"
        peer.write_bytes(secrets.token_bytes(64))
        peer.chmod(0o400)
        with open(self.folder / "log" / "driver.log", "ab") as log:
            self.lifeline.spawn(
                ["munged", "--foreground", "--force", f"--key-file={key}",
                 f"--socket={self.folder}/munge/socket", f"--pid-file={self.folder}/munge/pid",
                 f"--log-file={self.folder}/log/munged.log",
                 f"--seed-file={self.folder}/munge/seed"], stdout=log, stderr=log)
        wait_for(lambda: (self.folder / "munge" / "socket").exists(), 10, "munged")

    def head_folder(self, head):
        return self.folder / "instances" / self.heads[head]["id"]

    def write_daemon(self, head):
        folder = self.head_folder(head)
        for name in ("journal", "state", "log"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.write_policy(head)
        helper = str(programs() / "rc-slurm-helper")
        run_mark = ["--mark", f"{folder}/slurmctld.fenced",
                    "--allow", "/run/slurm-on-aws/slurmctld.allowed"]
        config = {
            "cluster": {"name": self.cluster, "groups": [{
                "name": "gpu", "nodes": "gpu-[1-2]", "template": self.aws["template"],
                "template_version": 1, "capacity": "open",
                "launch": [{"subnet": s, "zone": f"us-east-1{z}"}
                           for s, z in zip(self.aws["subnets"], "abc")]}]},
            "aws": {"region": "us-east-1"},
            "queue": {"url": self.aws["queue"].replace("127.0.0.1", CONTROLLER_ADDR),
                      "wait": "2s", "visibility": "10s", "quarantine": f"{folder}/quarantine"},
            "slurm": {"conf": str(self.slurm_conf),
                      "reader": {"program": helper, "args": ["--role", "reader"]},
                      "writer": {"program": helper, "args": ["--role", "writer"]},
                      "registrar": {"program": str(programs() / "rc-registrar")}},
            "controllers": {
                "hosts": [{"host": h} for h in HEADS],
                "template": self.aws["template"], "template_version": 1,
                "launch": [{"subnet": s, "zone": f"us-east-1{z}"}
                           for s, z in zip(self.aws["subnets"], "abc")],
                "helper": {"program": str(programs() / "rc-controller-helper"), "args": [
                    "--state-dir", f"{self.folder}/state", *run_mark,
                    "--start", "touch /run/slurmctld.wanted",
                    "--munge", f"munge --no-input --socket={self.folder}/munge/socket",
                    "--reject", f"{REJECT} %a"]},
                "listen": f"0.0.0.0:{PEER_PORT}", "key": f"{self.folder}/peer.key",
                "instance_file": "/run/instance-id"},
            "policy": f"{folder}/policy.json", "state_dir": f"{folder}/state",
            "journal": {"dir": f"{folder}/journal"},
            "lease": {"path": f"{self.folder}/lease.json", "owner": head,
                      "term": self.lease_term, "margin": "1s"},
            "incidents": {"path": f"{self.folder}/incidents"},
            "poll": {"instances": "5s", "status": "5s", "slurm": "2s", "slurm_open": "500ms"},
            "control": {"socket": f"{folder}/control.sock", "mode": "0600"},
            "metrics": {"listen": ""},
            "log": {"file": f"{folder}/reconcilerd.log", "level": "info"}}
        (folder / "reconcilerd.json").write_text(json.dumps(config, indent=2) + "\n",
                                                 encoding="utf-8")

    def write_policy(self, head, **controllers):
        """controllers: other values of that section than the world's own."""
        policy.write(self.head_folder(head) / "policy.json", ssh=False,
                     controllers={**self.policy, **controllers})

    # --- looking ----------------------------------------------------------------

    def machine(self, head):
        return self.maker.machines[self.heads[head]["id"]]

    def host_of(self, pid):
        """The controller that a process is on."""
        inode = namespace_of(pid)
        for head in HEADS:
            machine = self.maker.machines.get(self.heads[head]["id"])
            try:
                if machine and inode == namespace_named(machine.namespace):
                    return head
            except OSError:
                continue
        return None

    def pids(self, head, name="slurmctld"):
        """Processes of that name on a controller, by this machine's own ids."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "comm").read_text().strip() == name and \
                        self.host_of(entry.name) == head:
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def ask(self, head, *words):
        """reconcilectl on that controller; {} when its daemon does not answer."""
        socket = self.head_folder(head) / "control.sock"
        done = run(programs() / "reconcilectl", "--socket", socket, "--json", *words, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def status(self, head):
        return self.ask(head, "status")

    def primary(self):
        """Who the leading daemon says is primary, "" = nobody, None = nobody leads."""
        for head in HEADS:
            told = self.status(head)
            if told.get("lease", {}).get("held"):
                return told["slurmctld"]["primary"]
        return None

    def leader(self):
        return next((h for h in HEADS if self.status(h).get("lease", {}).get("held")), None)

    def answers(self, seconds=2):
        """Is a real query answered by whichever slurmctld is active?"""
        done = self.slurm.command("timeout", seconds, "squeue", "-h", check=False)
        return done.returncode == 0

    def until_accepted(self, seconds, near=None):
        """Submits every 0.2 s until one is accepted; the time it took, in seconds. Each in a
        process of its own: a client that began while nobody served retries at its own pace.
        near: clients are on that controller's side of the network."""
        begin, tries = time.monotonic(), []
        side = ["nsenter", f"--net=/run/netns/{self.machine(near).namespace}"] if near else []
        job = self.folder / "accepted.sh"
        job.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
        try:
            while time.monotonic() - begin < seconds:
                tries.append(subprocess.Popen(
                    [*side, "sbatch", "--parsable", "-n1", "--output=/dev/null", job],
                    env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL))
                end = time.monotonic() + 0.2
                while time.monotonic() < end:
                    if any(t.poll() == 0 for t in tries):
                        return time.monotonic() - begin
                    time.sleep(0.01)
        finally:
            for one in tries:
                if one.poll() is None:
                    one.kill()
                one.wait()
        raise RuntimeError(f"no sbatch was accepted within {seconds} s")

    def until_saved(self, job):
        """slurmctld saves a job seconds after it was begun by sbatch, or by the leader's wish; what is
        newer dies with a kill -9. The save is known by a word that the job got only now: its time tells nothing, for the save may
        have come before anybody could look."""
        saved, word = self.folder / "state" / "job_state", f"saved-{secrets.token_hex(8)}"
        self.slurm.command("scontrol", "update", f"JobId={job}", f"Comment={word}")
        wait_for(lambda: saved.exists() and word.encode() in saved.read_bytes(), 60,
                 "slurmctld's save of the job", 0.1)

    def log_rows(self, head):
        path = self.head_folder(head) / "reconcilerd.log"
        rows = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        return rows

    # --- doing ------------------------------------------------------------------

    def allow(self, head):
        """The leader's word, by hand, for a world without daemons."""
        wait_for(lambda: self.heads[head]["id"] in self.maker.machines
                 and self.machine(head).init and self.is_up(head), 30, f"{head}'s instance")
        self.inside(head, "touch", "/run/slurm-on-aws/slurmctld.allowed")
        self.inside(head, "touch", "/run/slurmctld.wanted")

    def is_up(self, head):
        """Its first process has made what is the machine's own."""
        return any(Path(f"/proc/{pid}/root/run/slurm-on-aws").is_dir()
                   for pid in self.pids(head, "bash"))

    def inside(self, head, *words):
        """Runs a command on a controller, in all of its namespaces."""
        inner = next(p for p in self.pids(head, "bash"))
        return run("nsenter", f"--target={inner}", "--net", "--mount", "--uts", "--pid", *words)

    def signal(self, head, number, name="slurmctld"):
        for pid in self.pids(head, name):
            os.kill(pid, number)

    def cut(self, head, off=True):
        """A partition: the other controller and the nodes are not reached any more, AWS is."""
        name = self.machine(head).namespace
        if off:
            rules = ("add table inet cut; "
                     "add chain inet cut in { type filter hook input priority 0; }; "
                     "add chain inet cut out { type filter hook output priority 0; }; "
                     f"add rule inet cut in ip saddr != {{ {CONTROLLER_ADDR}, 127.0.0.1 }} drop; "
                     f"add rule inet cut out ip daddr != {{ {CONTROLLER_ADDR}, 127.0.0.1 }} drop")
        else:
            rules = "delete table inet cut"
        run("nsenter", f"--net=/run/netns/{name}", "nft", rules)

    def power_off(self, head):
        """The host dies, and its end of the cable with it: what is sent there is lost, not
        refused. EC2 does not know it yet."""
        machine = self.machine(head)
        run("ip", "link", "set", machine.link, "down")
        end_process(machine.init.pid, start_time(machine.init.pid), 0)

    def close(self):
        if self.writers and self.writers.is_alive():
            self.writers.stop()
        super().close()


STOP, CONT, KILL = signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL
