"""The live time-line: one line a fact, with the seconds since the fault."""
import os
import sys
import time

MARKS = {"fault": ("!", "31;1"), "stage": ("●", "32;1"), "fact": ("·", "0"), "ours": ("→", "36"),
         "bad": ("✗", "31;1"), "good": ("✓", "32;1"), "info": (" ", "2")}
# Where the locale has no such signs.
PLAIN = {"●": "*", "·": "-", "→": ">", "✗": "x", "✓": "ok"}


class Timeline:
    def __init__(self, out):
        self.out = out
        self.colour = out.isatty() and "NO_COLOR" not in os.environ
        self.unicode = "utf" in (out.encoding or "").lower()
        self.origin_ms = None

    def start(self, at_ms):
        """From here on, lines carry the time since at_ms (Unix milliseconds)."""
        self.origin_ms = at_ms

    def say(self, kind, text, at_ms=None):
        mark, code = MARKS[kind]
        if not self.unicode:
            mark = PLAIN.get(mark, mark)
        when = " " * 9
        if self.origin_ms is not None:
            when = f"{((at_ms or now_ms()) - self.origin_ms) / 1000:+8.2f}s"
        line = f"{when} {mark} {text}"
        if self.colour:
            line = f"\033[2m{when}\033[0m \033[{code}m{mark} {text}\033[0m"
        print(line, file=self.out, flush=True)


def now_ms():
    return int(time.time() * 1000)


def for_options(options):
    return Timeline(sys.stderr if options.json else sys.stdout)
