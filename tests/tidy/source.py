"""What the tidy tests share: the tracked files, C functions, and result lines."""
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The house layout (.clang-format) puts a function's name at the start of a line
# and its braces alone at the start of theirs, so that a line match finds them.
C_NAME = re.compile(r"^([A-Za-z_]\w*)\(")

_failed = False


def tracked(*suffixes):
    """Tracked and new files with one of these suffixes, sorted; all when none is given."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout.split("\n")
    names = [n for n in listed if n and (ROOT / n).is_file()]
    return sorted(Path(n) for n in names if not suffixes or n.endswith(suffixes))


def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def scripts():
    """Shell scripts, with or without a suffix."""
    for path in tracked():
        if path.suffix == ".sh":
            yield path
        elif not path.suffix or path.name == "run":
            with open(ROOT / path, "rb") as f:
                if re.match(rb"#!.*\b(ba)?sh\b", f.readline(80)):
                    yield path


def c_functions(path):
    """(name, first line, last line, is static) of every function defined in a C file."""
    lines = text(path).split("\n")
    name = start = None
    for number, line in enumerate(lines, 1):
        if match := C_NAME.match(line):
            name, start = match[1], number
        elif line == "{" and name:
            end = number
            while end < len(lines) and lines[end - 1] != "}":
                end += 1
            yield name, start, end, is_static(lines, start)
            name = None
        elif line.endswith(";") and not line.startswith(" "):
            name = None


def is_static(lines, start):
    """Looks at the lines of the definition above the function's name."""
    above = start - 2
    while above >= 0 and lines[above] and lines[above][-1] not in ";}/":
        if re.search(r"\bstatic\b", lines[above]):
            return True
        above -= 1
    return False


def report(sentence, faults):
    """Prints the result line of one check; faults is a list of strings."""
    global _failed
    faults = list(faults)
    print(f"{'not ok' if faults else 'ok'} - tidy: {sentence}", flush=True)
    for fault in faults:
        print(f"#   {fault}")
    _failed = _failed or bool(faults)
    return not faults


def skip(sentence, why):
    print(f"ok - tidy: {sentence} # SKIP {why}", flush=True)


def exit_status():
    return 1 if _failed else 0


def cpu_count():
    return os.cpu_count() or 1
