"""What NVIDIA and AWS offer for download to GPU nodes, as packages and an installer that do nothing.

Names, paths, signatures and the way of installing them are the real ones; inside is what the
roles, Slurm and the daemon look at: services, dcgmi, nvidia-smi, EFA's list of installed packages.
The package source also has a newer branch of the driver, which the pin must keep off.
"""
import os
import shutil
import tarfile
from pathlib import Path

from tests.real.lifeline import run

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = ROOT / "tests/roots/stand_ins"
BRANCH, NEWER = "570.172.08-1", "580.65.06-1"
SERVICE = """[Unit]
Description={name} (stand-in)

[Service]
ExecStart=/usr/bin/sleep infinity

[Install]
WantedBy=multi-user.target
"""
# Name, version, what it depends on, its service, the tool it brings.
DISTRIBUTION = [("dkms", "3.0.10-8", "", "", None), (f"linux-headers-{os.uname().release}", "1", "", "", None),
                ("linux-headers-cloud-amd64", "6.1.1-1", "", "", None)]
PACKAGES = [
    *((f"cuda-drivers-{version[:3]}", version, f"nvidia-persistenced (>= {version})", "", None)
      for version in (BRANCH, NEWER)),
    *(("nvidia-persistenced", version, "", "nvidia-persistenced", ROOT / "tests/real/tools/nvidia-smi")
      for version in (BRANCH, NEWER)),
    ("cuda-drivers-fabricmanager-570", BRANCH, "nvidia-fabricmanager-570", "", None),
    ("nvidia-fabricmanager-570", BRANCH, "", "nvidia-fabricmanager", None),
    ("datacenter-gpu-manager-4-cuda12", "1:4.4.1-1", "", "nvidia-dcgm", STAND_INS / "dcgmi"),
]
INSTALLER = """#!/bin/sh
# Stands in for AWS's installer.
[ "$1" = -y ] || exit 1
mkdir -p /opt/amazon
echo '# EFA installer version: {version}' >/opt/amazon/efa_installed_packages
"""


class GpuShelf:
    def __init__(self, files, work):
        """files: where front.py serves downloads from; work: a folder of ours."""
        self.files, self.work = files, work
        self.gpg_home = work / "gnupg"
        self.gpg_home.mkdir(mode=0o700, parents=True)
        self.gpg("--passphrase", "", "--quick-gen-key", "stand-in <tests@localhost>", "rsa2048", "sign", "never")
        listed = self.gpg("--with-colons", "--fingerprint")
        self.fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))

    def gpg(self, *words):
        return run("gpg", "--homedir", self.gpg_home, "--batch", "--quiet", "--pinentry-mode", "loopback",
                   *words).stdout

    def close(self):
        run("gpgconf", "--homedir", self.gpg_home, "--kill", "all", check=False)

    def package(self, shelf, name, version, depends, service, tool):
        tree = self.work / f"{name}-{version.replace(':', '_')}"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
            + (f"Depends: {depends}\n" if depends else "")
            + "Maintainer: tests <tests@localhost>\nDescription: stand-in\n")
        if service:
            units = tree / "lib/systemd/system"
            units.mkdir(parents=True)
            (units / f"{service}.service").write_text(SERVICE.format(name=service))
        if tool:
            (tree / "usr/bin").mkdir(parents=True)
            shutil.copy(tool, tree / "usr/bin" / tool.name)
            (tree / "usr/bin" / tool.name).chmod(0o755)
        run("dpkg-deb", "--root-owner-group", "--build", tree, shelf / f"{tree.name}.deb")

    def offer_builders(self, repository):
        """What the driver's modules are built with, in the package source of a tree."""
        for row in DISTRIBUTION:
            self.package(repository, *row)
        index = run("dpkg-scanpackages", "-m", ".", cwd=repository).stdout
        (repository / "Packages").write_text(index)

    def offer_drivers(self, suite_number):
        """NVIDIA's package source: flat, signed."""
        shelf = self.files / f"developer.download.nvidia.com/compute/cuda/repos/debian{suite_number}/x86_64"
        shelf.mkdir(parents=True)
        for row in PACKAGES:
            self.package(shelf, *row)
        index = run("dpkg-scanpackages", "-m", ".", cwd=shelf).stdout
        (shelf / "Packages").write_text(index)
        digest = run("sha256sum", "Packages", cwd=shelf).stdout.split()[0]
        (shelf / "Release").write_text(
            "Origin: NVIDIA\nLabel: NVIDIA CUDA\nArchitecture: x86_64\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n"
            f"SHA256:\n {digest} {len(index.encode())} Packages\n")
        self.gpg("--yes", "--clearsign", "-o", shelf / "InRelease", shelf / "Release")
        (shelf / "3bf863cc.pub").write_text(self.gpg("--armor", "--export"))

    def offer_efa(self, version):
        shelf = self.files / "efa-installer.amazonaws.com"
        folder = self.work / "aws-efa-installer"
        folder.mkdir()
        shelf.mkdir(parents=True)
        (folder / "efa_installer.sh").write_text(INSTALLER.format(version=version))
        (folder / "efa_installer.sh").chmod(0o755)
        archive = shelf / f"aws-efa-installer-{version}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, arcname=folder.name)
        self.gpg("--detach-sign", "-o", f"{archive}.sig", archive)
        (shelf / "aws-efa-installer.key").write_text(self.gpg("--armor", "--export"))
        return archive
