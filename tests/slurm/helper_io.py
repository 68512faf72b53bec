"""The helper's line protocol from Python: enough to ask rc-slurm-helper directly."""

import select
import subprocess
import time
import urllib.parse


class HelperError(Exception):
    def __init__(self, fields):
        super().__init__(f"{fields['code']} errno={fields['errno']} {fields['text']}")
        self.code, self.errno = fields["code"], fields["errno"]


class Died(Exception):
    pass


def fields_of(words):
    return {k: urllib.parse.unquote(v) for k, _, v in (w.partition("=") for w in words)}


class Helper:
    def __init__(self, program, role, *options, before=()):
        self.proc = subprocess.Popen([program, *before, "--role", role, *options], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.buf, self.seq = b"", 0
        word, version, *rest = self.line(10).split(" ")
        assert (word, version) == ("hello", "1")
        self.hello = fields_of(rest)

    def line(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.buf:
            if not select.select([self.proc.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"no line within {seconds} s")
            more = self.proc.stdout.read1(65536)
            if not more:
                raise Died(self.proc.stderr.read().decode(errors="replace").strip())
            self.buf += more
        line, _, self.buf = self.buf.partition(b"\n")
        return line.decode("ascii")

    def ask(self, verb, seconds=40, **fields):
        """(rows as (kind, fields), fields of ok); raises HelperError."""
        self.seq += 1
        words = [f"{k}={urllib.parse.quote(str(v), safe='/:,+[]-')}" for k, v in fields.items()]
        self.proc.stdin.write((" ".join([str(self.seq), verb, *words]) + "\n").encode())
        self.proc.stdin.flush()
        rows = []
        while True:
            seq, kind, *rest = self.line(seconds).split(" ")
            assert int(seq) == self.seq, "a row of another request"
            if kind == "ok":
                return rows, fields_of(rest)
            if kind == "err":
                raise HelperError(fields_of(rest))
            rows.append((kind, fields_of(rest)))

    def rows(self, verb, **fields):
        return [f for kind, f in self.ask(verb, **fields)[0] if kind != "accepted"]

    def close(self):
        self.proc.stdin.close()
        self.proc.wait(15)
        return self.proc.returncode
