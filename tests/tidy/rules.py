#!/usr/bin/env python3
"""Rules of the house that a machine can read from the sources alone."""
import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

from source import ROOT, c_functions, exit_status, report, text, tracked

FUNCTION_LINES = 70
FILE_LINES = 600
TEST_FILE_LINES = 1000

# Third-party headers, and the only rooms that may know them.
OUTSIDE = {
    "curl/": ("reconciler/io/aws",),
    "openssl/": ("reconciler/io", "simulator"),
    "expat.h": ("reconciler/io/aws",),
    "libssh2": ("reconciler/io/ssh",),
    "slurm/": ("reconciler/io/slurm",),
    "event2/": ("reconciler/io", "reconciler", "simulator"),
    "cjson/": ("handlers/decode", "policies", "reconciler/io", "reconciler", "simulator"),
}
# Rooms whose own headers only these rooms may include; tests may include any.
INSIDE = {
    "reconciler/io/": ("reconciler", "simulator"),
    "simulator/": ("simulator",),
}
# One header of io holds nothing but the error record that every library fills.
EVERYWHERE = ("reconciler/io/fail.h",)
# reconcilectl policy test plays the incidents of the simulator's runner.
ALLOWED = {("reconciler/ctl_policy.c", "simulator/scenario/scenario.h")}

# The pure core may use the headers that need no operating system.
PURE_ROOMS = ("reconciler/core", "handlers")
PURE_POLICIES = ("policies/classify.c", "policies/ladder.c", "policies/limits.c")
PURE_HEADERS = {"assert.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h",
                "stdbool.h", "stddef.h", "stdint.h", "string.h"}

ROOMS = ("reconciler", "reconciler/core", "reconciler/io", "handlers", "handlers/decode",
         "policies", "simulator", "deploy", "tests", "docs")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
OPEN_END = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
# /home/shared is where the deployed cluster mounts its shared home, on every node.
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:work|home(?!/shared\b)|root|Users)/")


def includes(path):
    for match in INCLUDE.finditer(text(path)):
        yield match[1], match[2], text(path).count("\n", 0, match.start()) + 1


def in_rooms(path, rooms):
    return any(path.is_relative_to(room) for room in rooms)


def is_pure(path):
    return str(path.parent) in PURE_ROOMS or str(path) in PURE_POLICIES


def pure_include_faults():
    for path in tracked(".c", ".h"):
        if not is_pure(path):
            continue
        for kind, name, line in includes(path):
            room = str(Path(name).parent)
            ours = room in PURE_ROOMS or room == "policies"
            if not (name in PURE_HEADERS if kind == "<" else ours):
                yield f"{path}:{line}: the pure core includes {name}"


def outside_include_faults():
    for path in tracked(".c", ".h"):
        if in_rooms(path, ("tests",)):
            continue
        for kind, name, line in includes(path):
            if name in EVERYWHERE or (str(path), name) in ALLOWED:
                continue
            for prefix, rooms in (OUTSIDE if kind == "<" else INSIDE).items():
                if name.startswith(prefix) and not in_rooms(path, rooms):
                    yield f"{path}:{line}: {name} belongs to {', '.join(rooms)}"


def long_function_faults():
    for path in tracked(".c"):
        for name, start, end, _ in c_functions(path):
            if end - start + 1 > FUNCTION_LINES:
                yield f"{path}:{start}: {name} has {end - start + 1} lines"
    for path in tracked(".py"):
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{path}:{node.lineno}: {node.name} has {length} lines"


def long_file_faults():
    for path in tracked(".c", ".h", ".py", ".sh", "run"):
        limit = TEST_FILE_LINES if path.parts[0] == "tests" else FILE_LINES
        lines = text(path).count("\n")
        if lines > limit:
            yield f"{path}: {lines} lines, the limit is {limit}"


def file_name_faults():
    places = defaultdict(list)
    for path in tracked(".c", ".h"):
        places[path.name].append(str(path))
    for name, paths in sorted(places.items()):
        if len(paths) > 1:
            yield f"{name}: {', '.join(paths)}"


def function_name_faults():
    """Tests are one executable each and may use the same words; main is everywhere."""
    places = defaultdict(list)
    for path in tracked(".c"):
        if path.parts[0] == "tests":
            continue
        for name, start, _, _ in c_functions(path):
            if name not in ("main", "usage"):
                places[name].append(f"{path}:{start}")
    for name, spots in sorted(places.items()):
        if len(spots) > 1:
            yield f"{name}: {', '.join(spots)}"


def exported_name_faults():
    for path in tracked(".c"):
        if path.parts[0] == "tests":
            continue
        for name, start, _, static in c_functions(path):
            if not static and name != "main" and not name.startswith("rc_"):
                yield f"{path}:{start}: {name} is exported without the prefix rc_"


def readme_faults():
    for room in ROOMS:
        if (ROOT / room).is_dir() and not (ROOT / room / "README.md").is_file():
            yield f"{room}: no README.md"


def header_comment_faults():
    for path in tracked(".c", ".h"):
        if path.parts[0] == "tests" and path.suffix == ".c":
            continue  # the rows of its table say it
        if not text(path).startswith(f"/* {path.name} - "):
            yield f"{path}:1: does not begin with /* {path.name} - what it does"


def word_faults(pattern, what):
    for path in tracked():
        if path.suffix in (".png", ".gz") or path.name == "LICENSE":
            continue
        for number, line in enumerate(text(path).split("\n"), 1):
            if found := pattern.search(line):
                yield f"{path}:{number}: {what}: {found[0]}"


def event_kinds():
    found = re.findall(r'X\(RC_EV_\w+,\s*"([a-z0-9-]+)"', text("reconciler/core/event.h"))
    return [kind.replace("-", "_") for kind in found]


def event_faults(place, form):
    """Every event kind must have the file; nothing is asked before the place exists."""
    if not (ROOT / place).exists():
        return
    for kind in event_kinds():
        path = form.format(kind=kind)
        if not (ROOT / path).exists():
            yield f"{path} is missing"


def unplayed_message_faults():
    """Kinds that AWS sends stand in a story as "message KIND …"."""
    stories = "\n".join(text(path) for path in tracked("story.txt"))
    sent = event_kinds()
    sent = sent[sent.index("ec2_state_change"):sent.index("ebs_volume") + 1]
    for kind in (name.replace("_", "-") for name in sent):
        if not re.search(rf"\bmessage {kind}\b", stories):
            yield f"simulator/incidents: no story with a message {kind}"


def main():
    report("the pure core includes only C headers and itself", pure_include_faults())
    report("every header is used only by the rooms that may use it", outside_include_faults())
    report(f"no function has more than {FUNCTION_LINES} lines", long_function_faults())
    report("no file is too long", long_file_faults())
    report("no two C files have the same name", file_name_faults())
    report("no two C functions have the same name", function_name_faults())
    report("every exported function has the prefix rc_", exported_name_faults())
    report("every room has a README.md", readme_faults())
    report("every C file says first what it does", header_comment_faults())
    report("no open ends are marked in any file", word_faults(OPEN_END, "open end"))
    report("no path of somebody's machine stands in any file",
           word_faults(MACHINE_PATH, "machine path"))
    report("every event kind has a handler", event_faults("handlers/table.c", "handlers/{kind}.c"))
    report("every event kind has a test of its handler",
           event_faults("tests/unit/handlers", "tests/unit/handlers/test_{kind}.c"))
    report("every kind of message has an incident that plays it", unplayed_message_faults())
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
