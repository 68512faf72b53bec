"""The cluster that Terraform rendered, on booted roots, before any play has run.

Addresses, names and groups are the inventory's; the AWS side is made in the emulator from the
applied state; the machines' sizes are this machine's, as DescribeInstanceTypes would tell them.
"""
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.real.lifeline import run
from tests.roots import trees
from tests.roots.gpu_shelf import GpuShelf
from tests.roots.root_maker import RootMaker, console
from tests.roots.root_world import ROUTER, RootWorld, python, tail, wait_for
from tests.roots.word_watch import WordWatch

ROOT = Path(__file__).resolve().parents[2]
DATABASE_NAME, DATABASE_ADDR = "prod-a-slurm.abcdefghijkl.us-east-1.rds.amazonaws.com", "10.20.40.40"
HOST = re.compile(r"^(\S+) ansible_host=(\S+) private_ip=(\S+)(?: data_volume=(\S+))?$", re.M)
LAYER = {"nfs": "nfs"}
ROLE = {"login": "login", "ctl": "controller", "nfs": "storage", "gluster": "storage"}
# What is mounted by NFS is a folder of this machine: its kernel has no NFS.
MOUNT_NFS4 = """#!/bin/bash
# Stands in for mount.nfs4 on machines whose kernel has no NFS: HOST:/PATH is /run/exports/HOST/PATH.
source=$1 target=$2
[[ $source == *:* ]] || { source=$2 target=$1; }
from=/var/lib/exports/${source%%:*}${source#*:}
[ -d "$from" ] || { echo "mount.nfs4: $source: no such export" >&2; exit 32; }
exec mount --bind "$from" "$target"
"""


def resources(module):
    """Of an applied state, with its modules'."""
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def pinned(name):
    """A version that the roles pin."""
    text = (ROOT / "deploy/ansible/group_vars/all/main.yml").read_text()
    return re.search(rf'^{name}: "(.*)"$', text, re.M).group(1)


# Eight GPUs as /dev and the bus show them, over the devices that the machine really has.
GPUS = r"""set -e
mount -t tmpfs gpus /sys/bus/pci/devices
for gpu in 0 1 2 3 4 5 6 7; do
    mknod /dev/nvidia$gpu c 1 3
    cd /sys/bus/pci/devices && mkdir 0000:1$gpu:1c.0 && cd 0000:1$gpu:1c.0
    echo 0x10de >vendor
    echo 0x030200 >class
    printf '\336\020\260\040' >config
done"""


class Cluster(RootWorld):
    def __init__(self, rendered, suite="bookworm"):
        super().__init__(suite)
        self.rendered = Path(rendered)
        self.inventory = (self.rendered / "inventory.ini").read_text()
        found = HOST.findall(self.inventory)
        self.hosts = {name: (host, private) for name, host, private, _ in found}
        self.volumes = {name: volume for name, _, _, volume in found if volume}
        self.site = self.folder / "site"
        self.front = self.folder / "front"
        self.made = {}  # what cloud_apply.py says
        self.shelf = self.efa_archive = None  # downloads for GPU nodes
        self.words = WordWatch()
        self.maker = None
        facts = json.loads((self.rendered / "ansible-reconcilerd.json").read_text())
        self.fails_over_by_itself = bool(facts["reconcilerd_config"].get("controllers"))

    def close(self):
        self.words.stop()
        if self.maker:
            self.maker.stop()
        if self.shelf:
            self.shelf.close()
        super().close()

    # --- AWS ------------------------------------------------------------------------------------

    def start_cloud(self):
        self.front.mkdir()
        for name in ("tls.pem", "tls.key"):
            shutil.copy(self.folder / name, self.front)
        bundle = self.front / "files/truststore.pki.rds.amazonaws.com/global"
        bundle.mkdir(parents=True)
        shutil.copy(self.folder / "ca.pem", bundle / "global-bundle.pem")
        self.make_agent_package()
        self.shelf = GpuShelf(self.front / "files", self.folder / "gpu-shelf")
        self.shelf.offer_drivers(trees.SUITES[self.suite])
        self.efa_archive = self.shelf.offer_efa(pinned("efa_installer_version"))
        (self.front / "names.json").write_text(json.dumps({DATABASE_NAME: DATABASE_ADDR}))
        (self.front / "instances.json").write_text("{}")
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
                       "AWS_DEFAULT_REGION": "us-east-1"}
        emulator = [os.environ["RC_MOTO_PYTHON"], ROOT / "tests/real/emulator.py", 5000, 5001]
        front = ["python3", ROOT / "tests/roots/front.py", self.front]
        for name, command in (("emulator", emulator), ("front", front)):
            with open(self.folder / f"{name}.log", "ab") as log:
                self.lifeline.spawn(command, stdout=log, stderr=log, cwd=self.folder, env=environment)
        wait_for((self.front / "front.ready").exists, 20, "resolver and endpoints")
        wait_for(lambda: run("curl", "-sf", "http://127.0.0.1:5000/moto-api/data.json", check=False).returncode == 0,
                 60, "emulator")
        self.made = json.loads(python(ROOT / "tests/roots/cloud_apply.py", self.rendered / "state.json"))

    def make_agent_package(self):
        """The CloudWatch agent cannot be fetched here: a package of its name, version and paths."""
        version = pinned("cloudwatch_agent_version")
        tree, stand_ins = self.folder / "agent", ROOT / "tests/roots/stand_ins"
        for path, source in (("opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent", "amazon-cloudwatch-agent"),
                             ("lib/systemd/system/amazon-cloudwatch-agent.service",
                              "amazon-cloudwatch-agent.service")):
            (tree / path).parent.mkdir(parents=True)
            shutil.copy(stand_ins / source, tree / path)
        (tree / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent").chmod(0o755)
        (tree / "opt/aws/amazon-cloudwatch-agent/etc").mkdir()
        (tree / "DEBIAN").mkdir()
        (tree / "DEBIAN/control").write_text(
            f"Package: amazon-cloudwatch-agent\nVersion: {version}-1\nArchitecture: amd64\n"
            "Maintainer: tests <tests@localhost>\nDescription: stand-in\n")
        shelf = self.front / f"files/amazoncloudwatch-agent.s3.amazonaws.com/debian/amd64/{version}"
        shelf.mkdir(parents=True)
        run("dpkg-deb", "--root-owner-group", "--build", tree, shelf / "amazon-cloudwatch-agent.deb")

    def real(self, text):
        for made_up, there in self.made["ids"].items():
            text = text.replace(made_up, there)
        return text

    def instances(self):
        """Node -> its instance in the emulator, of those that have one."""
        return {**self.made["compute"], **self.made["controllers"]}

    def tell_metadata(self):
        """Who asks the metadata service is known by its address."""
        known = {}
        for name, (_, addr) in self.hosts.items():
            kind = ROLE.get(name.rsplit("-", 1)[0], "compute")
            instance = self.instances().get(name, {"id": f"i-{name.encode().hex():0<17.17}"})
            known[addr] = {"id": instance["id"], "addr": addr, "type": "t3.small", "zone": "us-east-1a",
                           "hostname": f"ip-{addr.replace('.', '-')}.ec2.internal", "role": f"prod-a-{kind}",
                           "mac": "02:00:" + ":".join(f"{int(n):02x}" for n in addr.split(".")),
                           "tags": {"slurm-on-aws:node": name} if kind == "compute" else {}}
        (self.front / "instances.json").write_text(json.dumps(known))

    # --- machines -------------------------------------------------------------------------------

    def make_roots(self):
        for name, (host, private) in self.hosts.items():
            root = self.add(name, private, layer=LAYER.get(name.split("-")[0], ""),
                            public=host if host != private else "")
            self.prepare(name, root)
        self.prepare_database(self.add("db", DATABASE_ADDR, layer="db"))

    def prepare_database(self, root):
        """As RDS hands it over: TLS required, one user, an empty database."""
        for name in ("tls.pem", "tls.key"):
            root.write(f"/etc/mysql/{name}", (self.folder / name).read_text())
        root.write("/etc/mysql/mariadb.conf.d/60-rds.cnf",
                   "[mariadbd]\nbind-address=0.0.0.0\nrequire_secure_transport=ON\nssl_cert=/etc/mysql/tls.pem\n"
                   "ssl_key=/etc/mysql/tls.key\ninnodb_lock_wait_timeout=900\nmax_allowed_packet=16777216\n"
                   "init_file=/etc/mysql/rds.sql\n")
        root.write("/etc/mysql/rds.sql", "CREATE DATABASE IF NOT EXISTS slurm_acct_db;\n"
                   "CREATE USER IF NOT EXISTS 'slurm'@'%' IDENTIFIED BY 'of-the-database';\n"
                   "GRANT ALL ON *.* TO 'slurm'@'%';\n")

    def prepare(self, name, root):
        exports = self.folder / "exports"
        exports.mkdir(exist_ok=True)
        root.binds.append((exports, "/var/lib/exports"))
        root.write("/usr/local/sbin/mount.nfs4", MOUNT_NFS4, 0o755)
        # Before nfs-common comes, so that its own helper is put aside.
        run("chroot", root.tree, "dpkg-divert", "--quiet", "--local", "--rename", "--add", "/sbin/mount.nfs4")
        root.write("/sbin/mount.nfs4", MOUNT_NFS4, 0o755)
        kind = name.split("-")[0]
        if kind == "ctl":
            root.write("/var/lib/cloud/data/instance-id", self.made["controllers"][name]["id"] + "\n")
        if kind in ("gluster", "nfs"):
            serial = self.volumes[name].replace("-", "")
            root.binds.append((self.disk(400, name), f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial}"))
        if Path("/dev/fuse").exists():
            root.binds.append(("/dev/fuse", "/dev/fuse"))
        if kind == "nfs":
            run("chroot", root.tree, "systemctl", "disable", "nfs-ganesha")
            stand_in = ROOT / "tests/roots/stand_ins"
            root.write("/usr/local/sbin/serve-exports", (stand_in / "serve-exports").read_text(), 0o755)
            root.write("/etc/systemd/system/nfs-server.service", (stand_in / "nfs-server.service").read_text())
        if kind == "gpu":
            self.shelf.offer_builders(root.tree / trees.REPOSITORY)

    def export(self, source, path):
        """A folder that stands for an export: what mounts it gets the same files."""
        folder = self.folder / "exports" / source / path.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)
        return folder

    def fresh_root(self, instance):
        """An instance that the daemon has launched: a plain image and the template's user data."""
        name = instance["id"]
        root = self.add(name, instance["addr"])
        self.prepare(instance["tags"].get("slurm-on-aws:node", name), root)
        # What Debian's cloud images say of the places to ask for user data.
        root.write("/etc/cloud/cloud.cfg.d/90_dpkg.cfg", "datasource_list: [ Ec2 ]\n")
        root.write("/etc/cloud/cloud.cfg.d/91-network.cfg", "network: {config: disabled}\nlocale: C.UTF-8\n")
        known = json.loads((self.front / "instances.json").read_text())
        group = instance["tags"].get("slurm-on-aws:node", "").rsplit("-", 1)[0]
        known[instance["addr"]] = {
            **known[self.hosts[f"{group}-1"][1]], "id": name, "addr": instance["addr"],
            "hostname": f"ip-{instance['addr'].replace('.', '-')}.ec2.internal",
            "mac": "02:00:" + ":".join(f"{int(n):02x}" for n in instance["addr"].split(".")),
            "tags": instance["tags"],
            "user_data": self.real((self.rendered / f"user-data-{group}").read_text())}
        whole = self.front / "instances.json.new"
        whole.write_text(json.dumps(known))
        whole.rename(self.front / "instances.json")
        return root

    # --- Ansible --------------------------------------------------------------------------------

    def lay_site(self, packages):
        """The operator's clone: the plays with what Terraform wrote beside them."""
        shutil.copytree(ROOT / "deploy", self.site / "deploy")
        shutil.copytree(ROOT / "policies", self.site / "policies")
        shutil.copytree(packages, self.site / "build/packages")
        ansible = self.site / "deploy/ansible"
        (ansible / "inventory.ini").write_text(self.inventory)
        facts = json.loads(self.real((self.rendered / "terraform.json").read_text()))
        facts["database"]["secret_arn"] = self.made["ids"]["secret of the database"]
        for group in facts["compute_groups"]:
            group.update(self.size())
            group["efa_cards"] = 0
        for name, content in (("terraform", json.dumps(facts)),
                              ("reconcilerd", self.real((self.rendered / "ansible-reconcilerd.json").read_text()))):
            (ansible / f"group_vars/all/{name}.json").write_text(content)
        # After main.yml in the alphabet, so that it counts.
        (ansible / "group_vars/all/own.yml").write_text(
            (ROOT / "tests/roots/own.yml").read_text() + f"efa_installer_key: {self.shelf.fingerprint}\n")
        self.write_policy(self.site / "policies/own.json")
        ssh = self.folder / "ssh"
        ssh.mkdir(mode=0o700)
        (ssh / "config").write_text(
            f"Host *\n  IdentityFile {self.folder / 'operator'}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {ssh / 'known_hosts'}\n")
        (ssh / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {ssh / "config"} "$@"\n')
        (ssh / "ssh").chmod(0o755)

    def write_policy(self, path):
        """The shipped policy, with a gate of the CPU nodes' type too, which must be able to look as root."""
        text = (ROOT / "policies/p4d.json").read_text()
        state = json.loads((self.rendered / "state.json").read_text())["values"]["root_module"]
        kind, = {r["values"]["instance_type"] for r in resources(state)
                 if r["type"] == "aws_launch_template" and r["values"]["name"].startswith("prod-a-cpu-")}
        row = f'{{ "type": "{kind}", "probes": ["check"], "must": ["check"] }},'
        path.write_text(text.replace('"types": [', f'"types": [ {row}', 1))

    def size(self):
        cores = os.cpu_count() or 1
        return {"cpus": cores, "cores": cores, "threads_per_core": 1, "sockets": 1, "memory_mb": 1000}

    def meet(self):
        """The first words to machines that nobody has met, as deploy/ansible/README.md says them."""
        user = re.search(r"^ansible_user=(\S+)$", self.inventory, re.M).group(1)
        run(self.folder / "ssh/ssh", "-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes",
            f"{user}@{self.hosts['login-1'][0]}", "true")
        return self.play("all", "-m", "ping", "--ssh-extra-args=-o StrictHostKeyChecking=accept-new", tool="ansible")

    def refresh_inventory(self, node, instance):
        """What the next `terraform apply` does after a replacement: the inventory has the new address."""
        old, new = self.hosts[node][1], instance["addr"]
        self.inventory = self.inventory.replace(f"{node} ansible_host={old} private_ip={old}",
                                                f"{node} ansible_host={new} private_ip={new}")
        self.hosts[node] = (new, new)
        (self.site / "deploy/ansible/inventory.ini").write_text(self.inventory)
        with open(self.folder / "ssh/known_hosts", "a", encoding="ascii") as known:
            for line in console(self.roots[instance["id"]]).splitlines()[1:-1]:
                known.write(f"{new} {line.rsplit(' ', 1)[0]}\n")

    def play(self, *words, broken_off_by=None, tool="ansible-playbook"):
        """Runs ansible-playbook as the operator would; returns (status, output). When `broken_off_by`
        says so it is killed, as by a laptop that is closed."""
        ansible, tools = self.site / "deploy/ansible", os.environ["RC_ANSIBLE"]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ansible / "ansible.cfg"),
                       "ANSIBLE_HOME": str(self.folder / "ansible-home"), "ANSIBLE_NOCOLOR": "1",
                       # Beside another world, whose machines have the same addresses: ssh's masters are not shared.
                       "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),
                       "ANSIBLE_SSH_EXECUTABLE": str(self.folder / "ssh/ssh"), "PY_COLORS": "0",
                       "PATH": f"{self.folder / 'ssh'}:{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        said = self.folder / "play.out"
        with open(said, "w", encoding="utf-8") as out:
            playing = subprocess.Popen([f"{tools}/{tool}", *words], cwd=ansible, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       start_new_session=True)
            if broken_off_by:
                wait_for(lambda: playing.poll() is not None or broken_off_by(), 600, "moment to break the play off", 0.1)
                if playing.poll() is None:
                    os.killpg(playing.pid, signal.SIGKILL)
            status = playing.wait()
        output = said.read_text(encoding="utf-8")
        with open(self.folder / "plays.log", "a", encoding="utf-8") as log:
            log.write(f"$ {tool} {' '.join(words)}\n{output}\n")
        return status, output

    def build(self, packages):
        for layer in ("", "db", "nfs"):  # before this process leaves the machine's network
            trees.layer(self.suite, layer)
        self.open()
        self.start_cloud()
        self.make_roots()
        self.tell_metadata()
        # The state's file system, on both controllers and the login node.
        facts = json.loads((self.rendered / "terraform.json").read_text())
        self.export(facts["efs_dns_name"], "/")
        for path in ("/export/home", "/export/software"):
            self.export("nfs-1", path)
        self.lay_site(packages)
        self.power_on()
        self.maker = RootMaker(self, {c["id"]: self.roots[node] for node, c in self.instances().items()})
        self.maker.start()
        self.words.start()
        self.roots["gpu-1"].shell(GPUS)


__all__ = ["Cluster", "ROUTER", "tail"]
