#!/usr/bin/env python3
"""The linters: clang-format, clang-tidy, cppcheck, shellcheck, Python's compiler.

Needs build/clang/compile_commands.json: clang-tidy knows only clang's warnings.
It takes seconds a file, so a file is looked at again only when it, a header, or
the configuration has changed: the result of a clean one is kept in
build/tidy-cache under a hash of its input.
"""
import concurrent.futures
import hashlib
import json
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile

from source import ROOT, cpu_count, exit_status, report, scripts, skip, tracked

CACHE = ROOT / "build/tidy-cache"
FINDING = re.compile(r": (error|warning): ")
CPPCHECK = ["cppcheck", "--enable=warning,performance,portability", "--inline-suppr", "--quiet",
            "--error-exitcode=1", "--std=c11", "--suppress=missingIncludeSystem",
            "--suppress=normalCheckLevelMaxBranches", "--suppress=unmatchedSuppression",
            "--template={file}:{line}: {id}: {message}", f"-I{ROOT}"]


def run(*command):
    return subprocess.run([str(c) for c in command], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def lines(result):
    return [line for line in result.stdout.splitlines() if line.strip()] or ["failed, silent"]


def format_faults():
    result = run("clang-format", "--dry-run", "-Werror", *tracked(".c", ".h"))
    return lines(result)[:40] if result.returncode else []


def compiled_files():
    """C files of the compilation database that are part of the project."""
    entries = json.loads((ROOT / "build/clang/compile_commands.json").read_text())
    ours = {str(ROOT / path) for path in tracked(".c")}
    return sorted({e["file"] for e in entries if e["file"] in ours})


def headers_hash():
    digest = hashlib.sha256()
    for path in (".clang-tidy", "tests/.clang-tidy"):
        digest.update((ROOT / path).read_bytes())
    digest.update(run("clang-tidy", "--version").stdout.encode())
    for path in tracked(".h"):
        digest.update(str(path).encode() + (ROOT / path).read_bytes())
    return digest


def tidy_faults():
    common = headers_hash()
    CACHE.mkdir(parents=True, exist_ok=True)

    def check(name):
        digest = common.copy()
        with open(name, "rb") as f:
            digest.update(name.encode() + f.read())
        mark = CACHE / digest.hexdigest()
        if mark.exists():
            return []
        result = run("clang-tidy", "--quiet", "-p", "build/clang", name)
        if result.returncode == 0:
            mark.touch()
            return []
        return [line for line in lines(result) if FINDING.search(line)] or lines(result)

    with concurrent.futures.ThreadPoolExecutor(cpu_count()) as pool:
        return [fault for faults in pool.map(check, compiled_files()) for fault in faults]


def cppcheck_faults():
    result = run(*CPPCHECK, "-j", str(cpu_count()), *tracked(".c"))
    return lines(result) if result.returncode else []


def python_faults():
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(tracked(".py")):
            try:
                py_compile.compile(str(ROOT / path), f"{folder}/{number}", str(path), doraise=True)
            except py_compile.PyCompileError as error:
                yield f"{path}: {error.msg.strip()}"


def main():
    report("clang-format has nothing to change", format_faults())
    report("clang-tidy has nothing to say", tidy_faults())
    report("cppcheck has nothing to say", cppcheck_faults())
    if shutil.which("shellcheck"):
        result = run("shellcheck", *scripts())
        report("shellcheck has nothing to say", lines(result) if result.returncode else [])
    else:
        skip("shellcheck has nothing to say", "shellcheck is not installed")
    report("every Python file compiles", python_faults())
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
