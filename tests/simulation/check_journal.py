#!/usr/bin/env python3
"""simulate replay of journals: of one alone, and of one held against another."""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import journal_file
from journal_file import ACTION, EVENT, MARK, TEXT

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIMULATE = pathlib.Path(os.environ["RC_BIN"]) / "simulate"
START_MS = 1_772_000_000_000
TICKS = 10

failures = 0


def check(good, name, run):
    global failures
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        failures += 1
        shown = f"status {run.returncode}\n{run.stdout}{run.stderr}"
        print("\n".join("# " + line for line in shown.splitlines()[-40:]), flush=True)


def replay(*args):
    return subprocess.run([str(SIMULATE), "replay", *map(str, args)], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def event(kind, at, rest=""):
    return EVENT, f"event {kind} at={at} wall={START_MS + at}{rest}"


def lease(number, at):
    return ACTION, f"action lease id={number} at={at} deadline={at + 60000}"


def day(seed=7):
    """A daemon alone on its first morning: it asks for the lease, again and again."""
    cluster = (ROOT / "docs/reconcilerd.json").read_text()
    records = [event("start", 1000, f" seed={seed} host=head1"), (TEXT, cluster),
               event("cluster", 1000, " code=demo"), lease(1, 1000)]
    for number in range(2, 2 + TICKS):
        at = 1000 * number
        records += [event("lease", at - 500), event("tick", at), lease(number, at)]
    return records


def other_messages(folder):
    """Messages that the journal never had are no proof of anything it decided."""
    whole = journal_file.write(folder / "silent", day())
    path = folder / "messages.jsonl"
    path.write_text(f'{{"arrival": {START_MS}, "body": "one"}}\n'
                    f'{{"arrival": {START_MS + 1}, "body": "two"}}\n')
    run = replay(path, "--against", whole, "--quiet")
    check(run.returncode == 1 and "0 are in the journal, 2 are not" in run.stdout and
          "not the whole: 2 messages stand on one side only\n" in run.stdout,
          "messages of another journal are not taken for its own", run)


def against(folder):
    whole = journal_file.write(folder / "whole", day())
    run = replay(whole, "--quiet")
    check(run.returncode == 0 and "11 decisions recorded: 11 the same\n" in run.stdout,
          "a journal is decided as it was", run)
    run = replay(whole, "--against", whole, "--quiet")
    check(run.returncode == 0 and "11 decisions recorded: 11 the same\n" in run.stdout,
          "a journal against itself", run)
    short = journal_file.write(folder / "short", day()[:13])
    run = replay(short, "--against", whole, "--quiet")
    check(run.returncode == 1 and "4 decisions recorded: 4 the same\n" in run.stdout and
          "not the whole: the other journal goes on at record 14\n" in run.stdout,
          "an other journal that goes on", run)
    run = replay(whole, "--against", short, "--quiet")
    check(run.returncode == 1 and "4 decisions recorded: 4 the same\n" in run.stdout and
          "not the whole: the other journal ends at record 13\n" in run.stdout and
          "cause" not in run.stdout, "an other journal that ends first", run)
    open_end = journal_file.write(folder / "open-end", day()[:12])
    run = replay(whole, "--against", open_end, "--quiet")
    check(run.returncode == 1 and "3 decisions recorded: 3 the same\n" in run.stdout and
          "the other journal ends at record 12\n" in run.stdout,
          "an other journal that ends before the decisions of its last event", run)
    other = journal_file.write(folder / "other", day(seed=8))
    run = replay(whole, "--against", other, "--quiet")
    check(run.returncode == 1 and "0 the same, 1 different; the first difference at record 1:" in
          run.stdout and "different days" in run.stdout and "not the whole" not in run.stdout,
          "journals of different days: one difference, and no word about what follows", run)


def cut(folder):
    bare = journal_file.write(folder / "bare", day()[:12])
    run = replay(bare, "--quiet")
    check(run.returncode == 3 and "record 12: an event whose decisions are missing is the last one" in
          run.stderr and "different" not in run.stdout and "the same" not in run.stdout,
          "a journal that ends before the decisions of its last event", run)
    run = replay(bare, "--quiet", "--cut")
    check(run.returncode == 0 and "8 events, 3 decisions recorded: 3 the same\n" in run.stdout and
          "record 12, without 1 of its decisions: they are left out" in run.stdout,
          "with --cut they are left out, and it is told", run)
    inside = journal_file.write(folder / "inside", day()[:13], cut=5)
    run = replay(inside, "--quiet")
    check(run.returncode == 3 and "ends inside a record" in run.stderr,
          "a journal that ends inside the decision of its last event", run)
    run = replay(inside, "--quiet", "--cut")
    check(run.returncode == 0 and "3 decisions recorded: 3 the same\n" in run.stdout and
          "inside a record" in run.stdout and "without 1 of its decisions" in run.stdout,
          "with --cut both are told", run)
    run = replay(bare, "--against", inside, "--quiet", "--cut")
    check(run.returncode == 1 and "the other journal ends at record 12\n" in run.stdout,
          "with --cut, the other one may be cut", run)
    run = replay(bare, "--against", inside, "--quiet")
    check(run.returncode == 3 and "the other journal: " in run.stderr and "inside a record" in
          run.stderr, "the other one ends inside a record", run)
    noted = journal_file.write(folder / "noted", day()[:12] + [(MARK, "stop")])
    run = replay(noted, "--quiet")
    check(run.returncode == 1 and "and 1 that were not made then" in run.stdout,
          "a decision that a journal goes on without is a difference", run)


def empty(folder):
    whole = journal_file.write(folder / "day", day())
    for name, records, cut_off in (("no byte", [], 88), ("a header only", [], 0)):
        path = journal_file.write(folder / name, records, cut_off)
        for args in ([path], [path, "--cut"], [path, "--against", whole],
                     [whole, "--against", path]):
            run = replay(*args, "--quiet")
            check(run.returncode == 3 and "holds no record" in run.stderr and "the same" not in
                  run.stdout, f"{name}: " + " ".join(map(str, args)).replace(str(folder), ""), run)


def not_a_journal(folder):
    """What only bears the name, or stands beside one, is told, and not called cut."""
    whole = journal_file.write(folder / "plain", day())
    packed = journal_file.write(folder / "packed", day())
    segment = packed / journal_file.NAME
    plain = segment.read_bytes()
    for name, data, word in (("gzip", gzip.compress(plain), "compressed (gzip); unpack it first"),
                             ("another format", b"time,node\n1,a\n", "no part of a journal")):
        segment.write_bytes(data)
        for args in ([packed], [packed, "--cut"], [whole, "--against", packed]):
            run = replay(*args, "--quiet")
            check(run.returncode == 3 and f"{journal_file.NAME}: " in run.stderr and
                  word in run.stderr and "--cut" not in run.stderr,
                  f"a segment that is {name} is told as that: {len(args)} arguments", run)
    segment.write_bytes(gzip.compress(plain))
    run = replay(segment)
    check(run.returncode == 3 and "compressed (gzip)" in run.stderr, "a compressed file is told", run)
    run = replay(whole / journal_file.NAME)
    check(run.returncode == 3 and "a part of a journal; expected its folder" in run.stderr,
          "a segment in place of its folder", run)
    segment.write_bytes(bytes(88))
    run = replay(packed, "--quiet")
    check(run.returncode == 3 and "--cut" in run.stderr, "zeros are what a power cut leaves", run)
    run = replay(whole, "--quiet")
    check(not run.stderr, "a journal alone needs no word", run)
    (whole / "policy.json").write_text((ROOT / "policies/p4d.json").read_text())
    run = replay(whole, "--quiet")
    check(not run.stderr, "nor does a policy beside it", run)
    (whole / "body.json").write_text(json.dumps(
        {"version": "0", "id": "1", "detail-type": "EC2 Instance State-change Notification",
         "source": "aws.ec2", "account": "111122223333", "time": "2026-02-25T06:13:20Z",
         "region": "us-east-1", "resources": [],
         "detail": {"instance-id": "i-0123456789abcdef0", "state": "stopped"}}))
    run = replay(whole, "--quiet")
    check(run.returncode == 0 and "1 message beside it (*.json): only the journal" in run.stderr,
          "messages beside a journal are not passed over in silence", run)


def main():
    with tempfile.TemporaryDirectory() as name:
        against(pathlib.Path(name))
        other_messages(pathlib.Path(name))
        cut(pathlib.Path(name))
        empty(pathlib.Path(name))
        not_a_journal(pathlib.Path(name))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
