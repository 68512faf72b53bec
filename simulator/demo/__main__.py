"""./run demo: sets the world up, plays the story, tears the world down."""
import json
import shutil
import signal
import sys

from simulator.demo import options as command_line
from simulator.demo import timeline
from simulator.demo.daemon import Daemon, DaemonFailed
from simulator.demo.node_story import NodeStory
from simulator.demo.story import Story

EXIT_GOOD, EXIT_BAD, EXIT_SETUP = 0, 1, 3
KEPT = ("reconcilerd.json", "policy.json", "reconcilerd.log", "reconcilerd.err",
        "quarantine.jsonl", "journal", "state")


def make_backend(options):
    if options.real:
        from simulator.demo.backend_real import RealBackend
        return RealBackend(options.fault)
    from simulator.demo.backend_sim import SimBackend
    return SimBackend()


def keep(folder, daemon, backend):
    """What --keep leaves: configuration, logs, journal, and every message of the queue."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        source = daemon.folder / name
        if source.is_dir():
            shutil.copytree(source, folder / name, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, folder / name)
    with open(folder / "messages.jsonl", "w", encoding="utf-8") as out:
        for row in backend.messages():
            out.write(json.dumps({"arrival": row["arrival"], "body": row["body"]}) + "\n")
    backend.keep(folder)


def tell_end(line, story, good):
    steps = ", ".join(f"{name.replace('_', ' ')} {ms / 1000:.1f} s"
                      for name, ms in story.summary()["stages_ms"].items())
    if steps:
        line.say("info", f"since the fault: {steps}")
    if good:
        line.say("good", "the story ended as it should")
    else:
        line.say("bad", "the story did not end as it should")
        line.say("info", f"the daemon's last words:\n{story.daemon.words()}")


def play(options, backend, line):
    daemon = Daemon(backend.folder(), backend)
    kind = NodeStory if options.fault in command_line.NODE_FAULTS else Story
    story = kind(options, backend, daemon, line)
    try:
        daemon.start()
        line.say("info", "reconcilerd runs")
        good = story.play()
    except DaemonFailed as error:
        line.say("bad", str(error))
        if story.fault_ms is None:
            return EXIT_SETUP
        good = False
    finally:
        daemon.stop()
        if options.keep:
            keep(options.keep, daemon, backend)
    tell_end(line, story, good)
    if options.json:
        print(json.dumps(story.summary()), flush=True)
    return EXIT_GOOD if good else EXIT_BAD


def main():
    options = command_line.parse()
    line = timeline.for_options(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_SETUP))
    if options.fault in command_line.CONTROLLER_FAULTS:
        from simulator.demo import failover
        sys.exit(failover.play(options, line))
    backend = make_backend(options)
    try:
        line.say("info", f"world: {backend.name}")
        try:
            backend.open()
        except (OSError, RuntimeError) as error:
            line.say("bad", f"set-up failed: {error}")
            return EXIT_SETUP
        return play(options, backend, line)
    except KeyboardInterrupt:
        return EXIT_SETUP
    finally:
        backend.close()


if __name__ == "__main__":
    sys.exit(main())
