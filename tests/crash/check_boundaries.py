"""kill -9 at every append of the journal that decides something: before it is written, or
right after, when nothing of it has begun. On the same controller, and on the other one."""
import concurrent.futures
import os
import sys

from tests.crash.crash_story import Story, shim
from tests.pair.pair_world import wait

WORKERS = int(os.environ.get("RC_CRASH_WORKERS", "3"))
FAULTS = ("terminate", "status-check")


def count(fault):
    """How many appends of the undisturbed story decide something."""
    with Story(fault) as story:
        controller = story.pair.a
        more = shim(controller)
        controller.start(environment=more)
        story.begin(controller)
        why = story.end()
        return len((controller.folder / "shim" / "count").read_bytes()), why


def killed(fault, at, manner, where):
    with Story(fault) as story:
        first = story.pair.a
        first.start(environment=shim(first, f"{at}:{manner}"))
        if where == "other":
            wait(first.leads, "the first one leads", 30)
            story.pair.b.start()
        try:
            story.begin(first)
        except Exception:  # it may have died before the fault: the story begins with the next
            if first.process.poll() is None:
                raise
        if where == "same":
            wait(lambda: first.process.poll() is not None or story.settled(), "it dies", 60)
            first.start()
        if story.job is None or not story.pair.messages_sent():
            story.begin(first if where == "same" else story.pair.b)
        return story.end()


def tell(good, sentence, more=""):
    print(f"{'ok' if good else 'not ok'} - crash: {sentence}", flush=True)
    for line in (more.splitlines() if not good else []):
        print(f"#   {line}", flush=True)
    return 0 if good else 1


def main():
    failed = 0
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    for fault in FAULTS:
        appends, why = count(fault)
        failed += tell(not why, f"{fault}: undisturbed, {appends} appends that decide", why)
        for where in ("same", "other"):
            cuts = [(fault, at, "before" if where == "same" and at % 3 == 0 else "after", where)
                    for at in range(1, appends + 1)]
            bad = [f"{cut}: {why}" for cut, why in zip(cuts, pool.map(lambda c: safe(*c), cuts))
                   if why]
            failed += tell(not bad, f"{fault}: kill -9 at each of {appends} appends, {where} "
                           "controller: the same world, nothing twice", "\n".join(bad[:4]))
    return 1 if failed else 0


def safe(*cut):
    try:
        return killed(*cut)
    except Exception as why:  # one run's trouble is one run's result
        return repr(why)


if __name__ == "__main__":
    sys.exit(main())
