"""Debian trees that stand for AMIs: made once in the cache, cloned by overlayfs.

A base tree has what an AMI brings, and the dependencies of what the roles install; the packages
that the roles install themselves wait in a package source of files inside the tree, because a
root has no way out of its network. A layer is a tree with some more packages: the database's,
and NFS-Ganesha for the machine that cannot have the kernel's server.

Needs root. A tree that was not finished is made again.
"""
import fcntl
import hashlib
import inspect
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("RC_CACHE", Path.home() / ".cache/slurm-on-aws")) / "roots"
SUITES = {"bookworm": "12", "trixie": "13"}
REPOSITORY = "var/lib/rc-packages"

# What Debian's cloud images have, as far as it matters here.
IMAGE = ("systemd systemd-sysv dbus libpam-systemd python3 python3-apt ca-certificates openssh-server "
         "sudo iproute2 curl procps less udev kmod").split()
CLOUD = ["cloud-init", "gnupg", "lsb-release"]
# What the roles and the first boot install.
WANTED = ("slurmctld slurmdbd slurmd slurm-client munge nfs-common nfs-kernel-server xfsprogs "
          "glusterfs-server glusterfs-client chrony").split()
PMIX = {"bookworm": "libpmix2", "trixie": "libpmix2t64"}
# What our own packages depend on.
LIBRARIES = {"bookworm": "libcjson1 libevent-2.1-7 libslurm38 libssh2-1 libpam-slurm-adopt polkitd btrfs-progs nftables".split(),
             "trixie": "libcjson1 libevent-2.1-7t64 libslurm42t64 libssh2-1t64 libpam-slurm-adopt polkitd btrfs-progs nftables".split()}
LAYERS = {"db": ["mariadb-server"], "nfs": ["nfs-ganesha", "nfs-ganesha-vfs", "libnfs-utils"],
          "build": ("build-essential debhelper cmake ninja-build pkg-config libcurl4-openssl-dev libssl-dev "
                    "libexpat1-dev libcjson-dev libevent-dev libssh2-1-dev libslurm-dev libcunit1-dev "
                    "lintian git").split()}


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout[-4000:]}")
    return done.stdout


@contextmanager
def locked(name):
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def recipe(suite, name=None):
    """Changes when the way in which a base tree, or a layer of one, is made does."""
    made_by = [make_base, fill_repository] + ([make_layer, seal] if name is not None else [])
    text = "".join(inspect.getsource(f) for f in made_by) + f"{suite} {IMAGE} {CLOUD} {WANTED} {PMIX}"
    if name is not None:
        text += f"{name} {LAYERS.get(name)} {LIBRARIES}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def entered(root):
    """proc, sys and dev of a tree for the time of an installation."""
    mounted = []
    try:
        for kind, where in (("proc", "proc"), ("sysfs", "sys")):
            run("mount", "-t", kind, kind, root / where)
            mounted.append(root / where)
        run("mount", "--bind", "/dev", root / "dev")
        mounted.append(root / "dev")
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        yield
    finally:
        for where in reversed(mounted):
            run("umount", "-l", where)


def in_tree(root, *command):
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    return run("chroot", root, *command, env={**env, **{k: v for k, v in os.environ.items() if "proxy" in k.lower()}})


def apt_install(root, *words):
    in_tree(root, "apt-get", "-q", "-y", "install", *words)


def fill_repository(root, wanted, own):
    """Downloads what the roles will install, and installs only what that depends on: names that
    `own` begins with are left to the roles."""
    archives, repository = root / "var/cache/apt/archives", root / REPOSITORY
    in_tree(root, "apt-get", "clean")
    apt_install(root, "--download-only", *wanted)
    repository.mkdir(exist_ok=True)
    new = list(archives.glob("*.deb"))
    names = {deb.name.split("_")[0] for deb in new}
    for deb in new:
        deb.rename(repository / deb.name)
    dependencies = sorted(n for n in names - set(wanted) if not n.startswith(own))
    if dependencies:
        apt_install(root, *dependencies)
    index = run("dpkg-scanpackages", "-m", REPOSITORY, cwd=root)
    index = "\n".join(line for line in index.splitlines() if not line.startswith("dpkg-scanpackages:"))
    (repository / "Packages").write_text(index.replace(f"Filename: {REPOSITORY}/", "Filename: ./") + "\n")


def make_base(root, suite):
    run("debootstrap", "--variant=minbase", f"--include={','.join(IMAGE)}", suite, root)
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    with entered(root):
        in_tree(root, "apt-get", "-q", "update")
        apt_install(root, *CLOUD)
        fill_repository(root, [*WANTED, PMIX[suite]], ("slurm", "glusterfs", "nfs-", "munge"))


def make_layer(root, suite, packages):
    with entered(root):
        in_tree(root, "apt-get", "-q", "update")
        if packages:
            apt_install(root, "--no-install-recommends", *packages)
        fill_repository(root, LIBRARIES[suite], tuple(LIBRARIES[suite]))


def seal(root):
    """Instead of the distribution's package source, the one inside."""
    for source in [root / "etc/apt/sources.list", *(root / "etc/apt/sources.list.d").glob("*")]:
        source.rename(source.with_name(source.name + ".distribution"))
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{REPOSITORY} ./\n")
    (root / "usr/sbin/policy-rc.d").unlink()
    (root / "etc/resolv.conf").write_text("")
    # As old as an image's: the first play reads the lists again.
    lists = root / "var/lib/apt/lists"
    for old in lists.glob("*_*"):
        old.unlink()
    os.utime(lists, (0, 0))


def discard(tree):
    """Deletes a tree that was not finished; first what a run that was killed has left mounted in it, for
    this machine's /dev would go with it."""
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        where = line.split()[1]
        if where == str(tree) or where.startswith(f"{tree}/"):
            run("umount", "-l", where)
    shutil.rmtree(tree, ignore_errors=True)


def base(suite):
    """The folder of a finished base tree; not to be written to."""
    root = CACHE / f"{suite}-{recipe(suite)}"
    with locked(suite):
        if not (root / ".complete").exists():
            discard(root)
            make_base(root, suite)
            (root / ".complete").touch()
    return root


@contextmanager
def overlay(lowers, upper, target):
    """An overlay of trees, the first of `lowers` on top, for the time of a with."""
    work = upper.with_name(upper.name + ".work")
    for folder in (upper, work, target):
        folder.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir={':'.join(map(str, lowers))},upperdir={upper},workdir={work}", target)
    try:
        yield target
    finally:
        run("umount", target)
        shutil.rmtree(work, ignore_errors=True)


def layer(suite, name):
    """The lower folders of a tree with the packages of LAYERS[name] ("" = none), sealed."""
    bottom = base(suite)
    top = CACHE / f"{suite}-{name or 'plain'}-{recipe(suite, name)}"
    with locked(f"{suite}-{name}"):
        if not (top / ".complete").exists():
            discard(top.with_name(top.name + ".tree"))
            discard(top)
            with overlay([bottom], top, top.with_name(top.name + ".tree")) as root:
                make_layer(root, suite, LAYERS.get(name, []))
                if name != "build":
                    seal(root)
                (root / ".complete").touch()
            shutil.rmtree(top.with_name(top.name + ".tree"))
    return [top, bottom]
