"""A recorded run's journal, cut: at every byte in one process, at every record under a real
daemon on the finished world; and a disk that is full or does not sync while a node breaks."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.crash_story import TEST_BUILD, Story, duplicates, shim
from tests.crash.check_boundaries import tell
from tests.pair.pair_world import Failed, wait

CUT = TEST_BUILD / "tests" / "journal_cut"
SETTLE_S = 0.6
FOUND_OUT_S = 15  # what it remembers as open is done in truth: time to see that


def segment_of(folder):
    """The only segment of a journal that was begun once."""
    return sorted(p for p in folder.iterdir() if p.suffix not in ("", ".lock"))[0]


def check_bytes(recorded, config):
    with tempfile.TemporaryDirectory(prefix="rc-cut-", dir="/dev/shm") as scratch:
        done = subprocess.run([CUT, config, segment_of(recorded), scratch], capture_output=True,
                              text=True, timeout=800, check=False)
    words = done.stdout.strip().splitlines()
    return tell(done.returncode == 0, f"a journal {words[-1] if words else 'cut'}",
                done.stdout + done.stderr)


def lay_cut(controller, recorded, end):
    """The journal of this controller ends here now."""
    journal = controller.folder / "journal"
    shutil.rmtree(journal, ignore_errors=True)
    shutil.copytree(recorded, journal)
    os.truncate(segment_of(journal), end)


def open_ones(controller):
    """A drain that its journal knows as accepted is looked for until timeouts.drain ends."""
    return [i for i in controller.status()["incidents"] if i["phase"] != "protect"]


def check_records(story, recorded):
    """The world is repaired; a daemon that remembers only so much of it must find that out."""
    pair, bad = story.pair, []
    said = subprocess.run([CUT, "--offsets", recorded], capture_output=True, text=True, check=True)
    ends = [int(line) for line in said.stdout.split()]
    before = len(pair.changes())
    for n, end in enumerate(ends):
        controller = pair.a if n % 2 == 0 else pair.b
        controller.folder.mkdir(exist_ok=True)
        lay_cut(controller, recorded, end)
        controller.start()
        try:
            wait(controller.leads, "it leads", 30, 0.02)
            time.sleep(SETTLE_S)
            end = time.monotonic() + FOUND_OUT_S
            while open_ones(controller) and time.monotonic() < end:
                time.sleep(0.2)
            if len(pair.changes()) != before or open_ones(controller) or not pair.healthy():
                bad.append(f"record {n}: {pair.changes()[before:]} {open_ones(controller)}")
                before = len(pair.changes())
        except Failed as why:
            bad.append(f"record {n}: {why}\n{controller.words()}")
        controller.stop()
    return tell(not bad, f"restarted with its journal cut at each of {len(ends)} records, on either "
                "controller: nothing is done to a world that is well", "\n".join(bad[:4]))


def check_recorded():
    with Story("terminate") as story:
        controller = story.pair.a
        controller.start()
        story.begin(controller)
        why = story.end()
        if why:
            return tell(False, "a run is recorded", why)
        controller.stop()
        with tempfile.TemporaryDirectory(prefix="rc-recorded-") as kept:
            recorded = Path(kept) / "journal"
            shutil.copytree(controller.folder / "journal", recorded)
            return (check_bytes(recorded, controller.folder / "reconcilerd.json")
                    + check_records(story, recorded))


def check_disk(trouble, sentence):
    """While the journal cannot be relied on, nothing that cannot be taken back is begun."""
    with Story("terminate") as story:
        controller = story.pair.a
        controller.start(environment=shim(controller))
        wait(controller.leads, "it leads", 30)
        flag = controller.folder / "shim" / trouble
        flag.touch()
        story.begin_fault()
        time.sleep(2.5)
        launched, _ = duplicates(story.pair.changes())
        refused = trouble != "disk-full" or "takes no records" in controller.ctl("pause")[2]
        said = any(r.get("level") == "error" and r.get("room") == "journal"
                   for r in controller.log())
        flag.unlink()
        why = story.end()
        return tell(not launched and said and refused and not why, sentence,
                    f"launched {launched}, said {said}, order refused {refused}\n{why}\n"
                    f"{controller.words()}")


def main():
    failed = check_recorded()
    failed += check_disk("disk-full", "a full disk under the journal: told, nothing launched, "
                         "no order taken, then repaired once")
    failed += check_disk("sync-fails", "a disk that does not sync: told, nothing launched, then "
                         "repaired once")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
