#!/usr/bin/env python3
"""What a second compiler says: clang builds everything without a warning, and
every header compiles on its own."""
import concurrent.futures
import re
import subprocess
import sys

from source import ROOT, cpu_count, exit_status, report, tracked

BUILD = ROOT / "build/clang"
FINDING = re.compile(r"\berror: |undefined reference|^FAILED")
HEADER_FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                "-x", "c"]


def run(*command, source=None):
    return subprocess.run([str(c) for c in command], cwd=ROOT, text=True, input=source,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def clang_faults():
    configured = run("cmake", "-G", "Ninja", "-S", ".", "-B", BUILD, "-DCMAKE_C_COMPILER=clang",
                     "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DRC_WERROR=ON")
    if configured.returncode:
        return configured.stdout.splitlines()[-20:]
    built = run("ninja", "-C", BUILD, "-k", "0")
    found = [line for line in built.stdout.splitlines() if FINDING.search(line)]
    return found or built.stdout.splitlines()[-20:] if built.returncode else []


def header_faults():
    """A header is included twice, so that a missing guard shows too."""
    def check(path):
        result = run("gcc", *HEADER_FLAGS, f"-I{ROOT}", "-",
                     source=f'#include "{path}"\n#include "{path}"\nextern int rc_unused_;\n')
        return result.stdout.splitlines()[:5] if result.returncode else []

    with concurrent.futures.ThreadPoolExecutor(cpu_count()) as pool:
        return [line for faults in pool.map(check, tracked(".h")) for line in faults]


def main():
    report("every header compiles on its own", header_faults())
    report("clang builds everything without a warning", clang_faults())
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
