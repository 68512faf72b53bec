"""The packages, built, judged, installed, looked at, upgraded and purged in fresh roots of a Debian release.

check_packages SUITE...: needs root; trees are made once in the cache.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.roots import trees
from tests.roots.checks import Checks

ROOT = Path(__file__).resolve().parents[2]
# There is no bug tracker of Debian's to close a bug in, and no watch file: we are the upstream.
NOT_OURS = "initial-upload-closes-no-bugs,no-manual-page"
# What systemd-analyze says of a tree without manual pages, on a kernel without IPv6.
OF_THE_TREE = ("man:", "Command 'man", "Failed to prepare filename", "kernel does not support IPv6")
# A file of each that an operator changes.
KEPT = {"controller": "etc/slurm-on-aws/policy.json", "node": "etc/sudoers.d/slurm-on-aws-node"}
UNITS = {"controller": ["reconcilerd.service", "slurm-on-aws-reject@.service"],
         "node": ["nodewatch.service", "slurmd.service", "slurm-on-aws-scratch.service",
                  "slurm-on-aws-imds.service"]}
# What an installation changes beside its own files.
BOOKS = ("var/lib/dpkg", "var/lib/apt", "var/cache", "var/log", "proc", "sys", "dev", "tmp", "run", "root",
         "etc/group", "etc/gshadow", "etc/passwd", "etc/shadow", "etc/subuid", "etc/subgid", "var/lib/systemd",
         "var/lib/ucf", "etc/ld.so.cache", "usr/share/info")


@contextmanager
def clone(suite, name):
    """A fresh root with the layer's packages."""
    folder = Path(tempfile.mkdtemp(prefix="rc-packages-"))
    try:
        with trees.overlay(trees.layer(suite, name), folder / "upper", folder / "tree") as root:
            policy = root / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            yield root
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build(suite, out):
    with clone(suite, "build") as root:
        source = root / "src"
        source.mkdir()
        tracked = trees.run("git", "-C", ROOT, "ls-files").splitlines()
        for name in tracked:
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, source / name)
        trees.in_tree(root, "git", "-C", "/src", "init", "-q")
        trees.in_tree(root, "git", "-C", "/src", "add", "-A")
        trees.in_tree(root, "/src/deploy/debian/build.sh", "/out")
        said = trees.in_tree(root, "sh", "-c", f"lintian --allow-root --suppress-tags {NOT_OURS} /out/*.deb 2>&1; true")
        for deb in (root / "out").glob("*.deb"):
            shutil.copy(deb, out)
    return said


def files(root):
    found = set()
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if not name.startswith(BOOKS):
            found.add(name)
    return found


def newer(deb, folder):
    """The same package as its next release, as far as dpkg can see."""
    tree = folder / "next"
    trees.run("dpkg-deb", "--raw-extract", deb, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+next", control.read_text(), flags=re.M))
    trees.run("dpkg-deb", "--root-owner-group", "--build", tree, folder / "next.deb")
    shutil.rmtree(tree)
    return folder / "next.deb"


def units_are_right(root, part):
    """systemd's own opinion of the installed units; the daemon is shut in at least to 2.0 on its scale."""
    units = trees.in_tree(root, "sh", "-c", "systemd-analyze verify --recursive-errors=yes "
                          f"{' '.join(UNITS[part])} 2>&1 || true")
    wrong = [line for line in units.splitlines() if not any(words in line for words in OF_THE_TREE)]
    if part == "controller":
        said = trees.in_tree(root, "sh", "-c", "systemd-analyze security --no-pager --offline=true --threshold=20 "
                             "reconcilerd.service 2>&1 || echo too open")
        wrong += said.splitlines()[-3:] if "too open" in said else []
    else:
        trees.in_tree(root, "visudo", "-c", "-q")  # fails with its reason
    return wrong


def is_upgraded(root, part, deb):
    """What the operator has changed stays, also when the package is removed and comes again."""
    mine = root / KEPT[part]
    mode = mine.stat().st_mode
    mine.write_bytes(mine.read_bytes() + b"\n")
    changed = mine.read_bytes()
    wrong = []
    shutil.copy(newer(deb, root / "tmp"), root / "tmp/newer.deb")
    for words in (("install", "--no-install-recommends", "/tmp/newer.deb"), ("remove", f"slurm-on-aws-{part}"),
                  ("install", "--no-install-recommends", "/tmp/newer.deb")):
        trees.in_tree(root, "apt-get", "-q", "-y", *words)
        if not mine.exists() or mine.read_bytes() != changed or mine.stat().st_mode != mode:
            wrong.append(f"{' '.join(words)}: {KEPT[part]} is not as it was left")
    version = trees.in_tree(root, "dpkg-query", "-W", "-f=${Version}", f"slurm-on-aws-{part}")
    return wrong if version.endswith("+next") else [*wrong, f"version {version}"]


def installs_and_purges(suite, part, deb):
    """Everything of its dependencies first, so that what is compared is the package alone."""
    package = f"slurm-on-aws-{part}"
    with clone(suite, "") as root:
        trees.in_tree(root, "apt-get", "-q", "update")
        depends = trees.run("dpkg-deb", "-f", deb, "Depends")
        names = [d.split("|")[0].split("(")[0].strip() for d in depends.split(",")]
        names = [trees.PMIX[suite] if n.startswith("libpmix2") else n for n in names]
        trees.apt_install(root, "--no-install-recommends", *names)
        before = files(root)
        shutil.copy(deb, root / "tmp/it.deb")
        with trees.entered(root):
            trees.apt_install(root, "--no-install-recommends", "/tmp/it.deb")
            wrong = units_are_right(root, part)
            for program in ("reconcilerd", "reconcilectl") if part == "controller" else ("nodewatch",):
                trees.in_tree(root, "sh", "-c", f"{program} --help >/dev/null 2>&1; test $? -le 2")
            wrong += is_upgraded(root, part, deb)
            trees.in_tree(root, "dpkg", "--purge", package)
        left = files(root) - before
    return "\n".join([*wrong, *(f"left behind: {name}" for name in sorted(left))])


def main(suites):
    check = Checks()
    for suite in suites:
        out = Path(tempfile.mkdtemp(prefix="rc-debs-"))
        try:
            said = []
            if not check(f"the packages build in a fresh {suite}", lambda: said.append(build(suite, out)) or ""):
                continue
            check(f"lintian has nothing to say about them ({suite})", lambda: said[0].strip())
            for part in UNITS:
                deb, = out.glob(f"slurm-on-aws-{part}_*.deb")
                if part == "node":  # in a process of its own, which moves into a network of its own
                    done = subprocess.run([sys.executable, "-m", "tests.roots.check_agent", suite, deb], cwd=ROOT, check=False)
                    check.failed += done.returncode != 0
                check(f"slurm-on-aws-{part} installs, verifies, is upgraded, and leaves nothing when purged ({suite})",
                      installs_and_purges, suite, part, deb)
        finally:
            shutil.rmtree(out)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
