"""The state directory is full, takes no write, or hangs: on one controller, or on both."""
import os
import time

from tests.failover.failover_case import Case, told
from tests.real.pair import HEADS, STOP
from tests.real.slurm import wait_for


class DirCases(Case):
    @property
    def state(self):
        return self.world.folder / "state"

    def read_only(self):
        primary = self.world.primary()
        self.world.inside(primary, "mount", "--bind", self.state, self.state)
        self.world.inside(primary, "mount", "-o", "remount,ro,bind", self.state)
        self.moved(self.other(primary), 120)
        told(True, "a primary that cannot write its state is left")
        self.world.inside(primary, "umount", self.state)

    def full(self):
        """On this host alone, as with a quota: what it has there does not fit any more."""
        primary = self.world.primary()
        script = (f"mkdir -p /run/small && mount -t tmpfs -o size=4m tmpfs /run/small && "
                  f"cp -a {self.state}/. /run/small/ && "
                  f"{{ cat /dev/zero >/run/small/filler 2>/dev/null; "
                  f"mount --bind /run/small {self.state}; }}")
        self.world.inside(primary, "sh", "-c", script)
        self.moved(self.other(primary), 120)
        told(True, "a primary whose state directory is full is left")
        self.world.inside(primary, "umount", self.state)

    def full_for_both(self):
        """The file server has no room: a move would gain nothing."""
        primary, pids = self.world.primary(), self.world.pids(self.world.primary())
        filler = self.state / "filler"
        with open(filler, "wb", buffering=0) as out:
            try:
                while True:
                    out.write(bytes(65536))
            except OSError:
                pass
        try:
            wait_for(lambda: all(self.seen(h)["state_dir"] == "full" for h in HEADS), 30,
                     "both to see it full", 0.3)
            wait_for(lambda: self.said("this controller cannot take over"), 60,
                     "a word to people", 0.5)
            told(self.world.primary() == primary and self.world.pids(primary) == pids
                 and self.world.answers(), "full for both: people are told, nothing moves")
        finally:
            filler.unlink()
        self.settled()
        told(self.world.primary() == primary, "when there is room again all is as it was")

    def hanging(self):
        """The file server does not answer this host any more: what slurmctld has written may
        still arrive, so that its host must be off first."""
        primary = self.world.primary()
        self.world.inside(primary, "bindfs", self.state, self.state)
        wait_for(lambda: self.world.pids(primary, "bindfs"), 10, "the file server")
        wait_for(self.world.answers, 20, "slurmctld")
        boots = self.instances(primary)[0]["boots"]
        self.world.signal(primary, STOP, "bindfs")
        begin = time.monotonic()
        self.moved(self.other(primary), 180)
        print(f"# a hanging state directory: {time.monotonic() - begin:.1f} s, "
              f"load {os.getloadavg()[0]:.0f}")
        told(self.said("EC2 showed every instance of that name stopped or terminated"),
             "a primary whose state directory hangs is forced off before the other takes over")
        self.settled(180)
        told(self.instances(primary)[0]["boots"] > boots, "and comes back with a fresh mount")
