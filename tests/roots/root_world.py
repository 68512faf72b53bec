"""Machines of Debian trees: each a booted systemd in a namespace of its own, on one network.

The process that makes a RootWorld moves into the network's hub: a namespace with the bridge,
the router's address, the resolver, the instance metadata service and the AWS endpoints. All
mounts are in the mount namespace of that process (run.sh makes one), so they go with it;
processes and loop devices are noted in a lifeline, whose reaper removes them.
"""
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.real.lifeline import Lifeline, add_bridge, end_process, enter_namespace, run, start_time
from tests.roots import trees

ROUTER, RESOLVER, METADATA = "10.20.0.1", "10.20.0.2", "169.254.169.254"
USER = "admin"
# Where systemd keeps its own groups: the unified tree, and beside it the named one of version 1.
HIERARCHIES = [p for p in (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"))
               if (p / "cgroup.procs").exists()] or [Path("/sys/fs/cgroup")]


def wait_for(condition, seconds, what, every=0.2):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} within {seconds} s")
        time.sleep(every)


class Root:
    """One machine: a clone of a tree, its address, its power."""

    def __init__(self, world, name, addr, layer="", public=""):
        self.world, self.name, self.addr, self.public = world, name, addr, public
        self.lowers = trees.layer(world.suite, layer)
        self.folder = world.folder / name
        self.tree = self.folder / "tree"
        self.namespace = f"{world.prefix}-{name}"
        self.binds, self.nspawn, self.leader = [], None, 0
        self.mounts = ExitStack()

    def make(self):
        """The disk of the machine, as the image's first boot leaves it."""
        self.folder.mkdir()
        self.mounts.enter_context(trees.overlay(self.lowers, self.folder / "upper", self.tree))
        etc = self.tree / "etc"
        (etc / "hostname").write_text(f"ip-{self.addr.replace('.', '-')}\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (etc / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
        (etc / "machine-id").write_text("")
        shutil.copy(self.world.folder / "ca.pem", self.tree / "usr/local/share/ca-certificates/world.crt")
        with open(etc / "ssl/certs/ca-certificates.crt", "a", encoding="ascii") as bundle:
            bundle.write((self.world.folder / "ca.pem").read_text())
        run("chroot", self.tree, "useradd", "-m", "-s", "/bin/bash", USER)
        (etc / "sudoers.d/90-admin").write_text(f"{USER} ALL=(ALL) NOPASSWD:ALL\n")
        run("ssh-keygen", "-A", "-f", self.tree)
        home = Path("home", USER)
        ssh = self.tree / home / ".ssh"
        ssh.mkdir()
        shutil.copy(self.world.folder / "operator.pub", ssh / "authorized_keys")
        run("chroot", self.tree, "chown", "-R", f"{USER}:", f"/{home}/.ssh")

    def cable(self):
        life = self.world.lifeline
        life.add_namespace(self.namespace)
        link = f"v{len(self.world.cables)}"
        self.world.cables.append(link)
        run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", link, "master", "br0", "up")
        words = [("addr", "add", f"{self.addr}/16", "dev", "eth0"), ("link", "set", "lo", "up"),
                 ("link", "set", "eth0", "up"), ("route", "add", "default", "via", ROUTER),
                 ("route", "add", METADATA, "dev", "eth0")]
        if self.public:
            words.append(("addr", "add", f"{self.public}/32", "dev", "eth0"))
        for command in words:
            # not "ip -n", which wants to mount /sys anew
            run("nsenter", f"--net=/run/netns/{self.namespace}", "ip", *command)
        if self.public:
            run("ip", "route", "replace", self.public, "dev", "br0")

    def power_on(self):
        self.cable()
        binds = [f"--bind={source}:{target}" for source, target in self.binds]
        # Else all machines' systemds would manage one tree of control groups.
        groups = [self.world.control_group(hierarchy, self.namespace) for hierarchy in HIERARCHIES]
        join = "".join(f"echo $$ >{group}/cgroup.procs; " for group in groups)
        with open(self.folder / "console", "ab") as log:
            self.nspawn = self.world.lifeline.spawn(
                ["sh", "-ec", join + 'exec "$@"', "sh", "systemd-nspawn", "-q", "-D", self.tree, "-M", self.namespace, "--register=no", "--keep-unit",
                 "--resolv-conf=off", "--timezone=off",
                 # How NFS-Ganesha finds a file again; how the agent looks at the clock and the kernel's log; rules of
                 # its own network, as an instance has them.
                 "--system-call-filter=open_by_handle_at adjtimex clock_adjtime", "--bind=/dev/kmsg",
                 "--capability=CAP_SYSLOG,CAP_NET_ADMIN",
                 f"--network-namespace-path=/run/netns/{self.namespace}", "--console=pipe", *binds, "-b"],
                stdout=log, stderr=log)
        self.leader = wait_for(self.find_leader, 20, f"first process of {self.name}")
        self.world.lifeline.note("process", self.leader, start_time(self.leader))
        self.own_sysctl()
        # What nspawn shows of its host, and an instance does not have.
        self.shell("umount -l /run/host/os-release /run/host/incoming", check=False)

    def find_leader(self):
        if self.nspawn.poll() is not None:
            raise RuntimeError(f"{self.name} did not boot: {(self.folder / 'console').read_text()[-2000:]}")
        for task in Path(f"/proc/{self.nspawn.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                try:
                    if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                        return int(child)
                except FileNotFoundError:
                    pass
        return 0

    def own_sysctl(self):
        """The network's are the namespace's own; of vm and net.core there is one for all namespaces, so
        a machine of ours gets plain files instead."""
        self.shell("mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw /proc/sys/net")
        for part in ("vm", "net/core"):
            copy = self.folder / "sysctl" / part
            copy.mkdir(parents=True, exist_ok=True)
            for key in Path("/proc/sys", part).iterdir():
                if key.is_file():
                    try:
                        (copy / key.name).write_text(key.read_text())
                    except OSError:
                        (copy / key.name).touch()
            target = Path(f"/proc/{self.leader}/root/run/sysctl", part)
            target.mkdir(parents=True)
            for key in copy.iterdir():
                shutil.copy(key, target / key.name)
            self.run("mount", "--bind", f"/run/sysctl/{part}", f"/proc/sys/{part}")

    def run(self, *command, check=True, **options):
        return run("nsenter", "-t", str(self.leader), "-a", "--", *command, check=check, **options)

    def shell(self, script, check=True):
        return self.run("/bin/bash", "-c", script, check=check).stdout

    def booted(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def power_off(self):
        """As pulling the plug: nothing inside is told."""
        end_process(self.leader, start_time(self.leader), 0)
        self.nspawn.wait()
        self.leader = 0
        run("ip", "netns", "del", self.namespace, check=False)

    def write(self, path, text, mode=0o644):
        target = self.tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)


class RootWorld:
    def __init__(self, suite="bookworm"):
        self.suite = suite
        self.prefix = f"rt{secrets.token_hex(2)}"
        self.folder = Path(tempfile.mkdtemp(prefix="rc-roots-"))
        self.folder.chmod(0o755)
        self.lifeline = Lifeline(self.folder)
        self.roots, self.cables, self.loops = {}, [], []

    def open(self):
        name = f"{self.prefix}-hub"
        self.lifeline.add_namespace(name)
        enter_namespace(name)
        run("ip", "link", "set", "lo", "up")
        add_bridge("br0", f"{ROUTER}/16", f"{RESOLVER}/16", f"{METADATA}/32")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", self.folder / "operator")
        self.certificates()

    def certificates(self):
        """A certificate authority that only these machines trust, and the endpoints' certificate."""
        f = self.folder
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=world", "-keyout", f / "ca.key", "-out", f / "ca.pem")
        names = ("DNS:*.us-east-1.amazonaws.com,DNS:*.s3.us-east-1.amazonaws.com,"
                 "DNS:*.s3.amazonaws.com,DNS:*.pki.rds.amazonaws.com,DNS:*.us-east-1.rds.amazonaws.com,"
                 "DNS:*.abcdefghijkl.us-east-1.rds.amazonaws.com,DNS:*.download.nvidia.com,DNS:efa-installer.amazonaws.com")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=endpoints", "-keyout", f / "tls.key", "-out", f / "tls.csr")
        (f / "tls.ext").write_text(f"subjectAltName={names}\n")
        run("openssl", "x509", "-req", "-in", f / "tls.csr", "-CA", f / "ca.pem", "-CAkey", f / "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", f / "tls.ext", "-out", f / "tls.pem")

    def add(self, name, addr, **options):
        root = Root(self, name, addr, **options)
        self.roots[name] = root
        root.make()
        return root

    def disk(self, size_mb, name):
        """A loop device: the volume of a machine."""
        image = self.folder / f"{name}.disk"
        with open(image, "wb") as f:
            f.truncate(size_mb << 20)
        device = run("losetup", "--find", "--show", image).stdout.strip()
        self.lifeline.note("loop", device)
        return device

    def control_group(self, hierarchy, name):
        group = hierarchy / name
        self.lifeline.note("control-group", group)
        group.mkdir(exist_ok=True)
        return group

    def power_on(self, *names):
        roots = [self.roots[n] for n in names] or list(self.roots.values())
        for root in roots:
            root.power_on()
        for root in roots:
            wait_for(root.booted, 60, f"booted {root.name}")

    def close(self):
        for root in self.roots.values():
            if root.leader:
                root.power_off()
        for root in self.roots.values():
            root.mounts.close()
        self.lifeline.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()


def tail(path, lines=40):
    return "\n".join(Path(path).read_text(errors="replace").splitlines()[-lines:])


def python(*arguments, **options):
    done = subprocess.run([os.environ["RC_MOTO_PYTHON"], *map(str, arguments)], check=False, text=True,
                          capture_output=True, **options)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]}: {done.stderr[-3000:]}")
    return done.stdout
