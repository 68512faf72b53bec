#!/usr/bin/env python3
"""Purity of the core, read from its archive: what it calls and what it keeps.

The archive must need nothing but memory and string functions, libm and the
assertion hook, and must hold no writable global. Both are read with nm from a
build without sanitizers, whose run time would add symbols of its own. Constant
tables of pointers lie in .data.rel.ro in a position-independent program, which
nm calls data, but which is read-only once the program runs.
"""
import subprocess
import sys

from source import ROOT, exit_status, report

# The fortified forms (__memcpy_chk …) and the stack guard are the compiler's.
MEMORY = {"memcmp", "memcpy", "memmove", "memset", "memchr"}
STRING = {"strlen", "strnlen", "strcmp", "strncmp", "strchr", "strrchr", "strstr", "strspn",
          "strcspn", "strcpy", "strncpy"}
MATH = {"ceil", "exp", "exp2", "fabs", "floor", "fmod", "log", "log2", "pow", "round", "sqrt"}
COMPILER = {"__assert_fail", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
WRITABLE = set("BbDdCGgSs")
CONSTANT_SECTION = ".data.rel.ro"


def symbols(archive):
    """(object, type, name, section) of every symbol."""
    # No plugin: gcc's would show what link-time optimisation sees, which has no sections.
    out = subprocess.run(["nm", "--plugin=/dev/null", "-f", "sysv", str(archive)], check=True,
                         capture_output=True, text=True).stdout
    place = "?"
    for line in out.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if line.startswith("Symbols from "):
            place = line.split("[")[-1].rstrip("]:")
        elif len(fields) == 7:
            yield place, fields[2], fields[0], fields[6]


def allowed(name):
    plain = name[2:-4] if name.startswith("__") and name.endswith("_chk") else name
    return plain in MEMORY | STRING | MATH or name in COMPILER


def main():
    archive = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build/lib/librc_core.a")
    if not archive.is_file():
        report("the pure core is built", [f"{archive} is missing"])
        return exit_status()
    found = list(symbols(archive))
    defined = {name for _, kind, name, _ in found if kind not in "Uw"}
    report("the pure core calls only memory, string and math functions",
           sorted({f"{place}: {name}" for place, kind, name, _ in found
                   if kind in "Uw" and name not in defined and not allowed(name)}))
    report("the pure core has no writable global",
           sorted({f"{place}: {name} ({kind})" for place, kind, name, section in found
                   if kind in WRITABLE and not section.startswith(CONSTANT_SECTION)}))
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
