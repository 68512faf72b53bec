"""Which files a slow tool found clean, kept between runs and between clones.

A mark is an empty file below RC_CACHE whose name is a hash of all that the answer
depends on: the tool and its settings, the file's path and flags, and the text of
the file and of the project's headers that it includes, directly or not. Nothing
is kept of a file with faults, so that they are told again. Headers of the system
are left out: they change with packages, and so, nearly always, does the tool.
"""
import functools
import hashlib
import os
import re
import time
from pathlib import Path

from source import ROOT, text

CACHE = Path(os.environ.get("RC_CACHE") or Path.home() / ".cache/slurm-on-aws") / "tidy"
UNUSED_DAYS = 30
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


@functools.cache
def includes(path):
    """Paths of the project's files that one includes; they are written from the root,
    or, beside a test, from its own folder."""
    found = []
    for name in INCLUDE.findall(text(path)):
        for place in (Path(name), path.parent / name):
            if (ROOT / place).is_file():
                found.append(place)
                break
    return found


def read_by(path):
    """The file and every header that it includes, in a fixed order."""
    seen, open_ends = {path}, [path]
    while open_ends:
        for found in includes(open_ends.pop()):
            if found not in seen:
                seen.add(found)
                open_ends.append(found)
    return sorted(seen)


class Clean:
    def __init__(self, tool, *settings):
        self._folder = CACHE / tool
        self._folder.mkdir(parents=True, exist_ok=True)
        self._settings = "\0".join(settings)
        self._marks = {}
        oldest = time.time() - UNUSED_DAYS * 86400
        for mark in self._folder.iterdir():
            if mark.stat().st_mtime < oldest:
                mark.unlink(missing_ok=True)

    def _mark_of(self, path, flags):
        digest = hashlib.sha256("\0".join((self._settings, str(path), flags)).encode())
        for part in read_by(path):
            content = (ROOT / part).read_bytes()
            digest.update(f"\0{part}\0{len(content)}\0".encode() + content)
        return self._folder / digest.hexdigest()

    def knows(self, path, flags=""):
        mark = self._marks[path] = self._mark_of(path, flags)
        if not mark.exists():
            return False
        mark.touch()
        return True

    def add(self, path):
        """Of the text that knows() hashed: a file may change while the tool reads it."""
        self._marks[path].touch()
