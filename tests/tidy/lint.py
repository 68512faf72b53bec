#!/usr/bin/env python3
"""The linters: clang-format, clang-tidy, cppcheck, shellcheck, Python's compiler.

Needs build/clang/compile_commands.json: clang-tidy knows only clang's warnings.
clang-tidy and cppcheck take seconds a file, so a file that was clean is looked at
again only when it, a header it includes, its flags or the tool's settings have
changed: clean.py keeps their hashes.
"""
import concurrent.futures
import json
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile

from clean import Clean
from source import ROOT, cpu_count, exit_status, report, scripts, skip, tracked

DATABASE = ROOT / "build/clang/compile_commands.json"
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


def compile_flags():
    """File of the project -> its commands in the compilation database, free of this
    clone's path. Several targets may compile one file."""
    ours = {str(ROOT / path): path for path in tracked(".c")}
    flags = {}
    for entry in json.loads(DATABASE.read_text()):
        if path := ours.get(entry["file"]):
            flags[path] = flags.get(path, "") + entry["command"].replace(str(ROOT), ".") + "\n"
    return flags


def tidy_faults():
    settings = [(ROOT / path).read_text() for path in (".clang-tidy", "tests/.clang-tidy")]
    clean = Clean("clang-tidy", run("clang-tidy", "--version").stdout, *settings)
    flags = compile_flags()

    def check(path):
        if clean.knows(path, flags[path]):
            return []
        result = run("clang-tidy", "--quiet", "-p", DATABASE.parent, path)
        if result.returncode == 0:
            clean.add(path)
            return []
        return [line for line in lines(result) if FINDING.search(line)] or lines(result)

    with concurrent.futures.ThreadPoolExecutor(cpu_count()) as pool:
        # A fault in a header is told by every file that includes it.
        return dict.fromkeys(f for faults in pool.map(check, sorted(flags)) for f in faults)


def cppcheck_faults():
    clean = Clean("cppcheck", run("cppcheck", "--version").stdout, " ".join(CPPCHECK[1:-1]))
    unknown = [path for path in tracked(".c") if not clean.knows(path)]
    if not unknown:
        return []
    result = run(*CPPCHECK, "-j", str(cpu_count()), *unknown)
    if result.returncode:
        return lines(result)
    for path in unknown:
        clean.add(path)
    return []


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
