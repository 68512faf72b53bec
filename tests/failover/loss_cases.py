"""A controller is lost: its process, its daemon, its host, its network, its instance."""
import time

from tests.failover.failover_case import MOVE_S, Case, told
from tests.real.pair import CONT, HEADS, KILL, STOP
from tests.real.slurm import wait_for


class LossCases(Case):
    def killed(self):
        primary = self.world.primary()
        job = self.world.slurm.submit(40, "gpu-2")
        wait_for(lambda: self.world.slurm.job(job)["state"] == "RUNNING", 30, "the job's start")
        self.world.until_saved(job)
        self.world.signal(primary, KILL)
        self.moved(self.other(primary))
        wait_for(lambda: self.world.slurm.job(job)["state"] == "COMPLETED", 90, "the job's end", 0.5)
        told(True, "a killed one is replaced, a job that runs meanwhile completes")
        told(self.said("ended every slurmctld process on that host"),
             "the log tells in a paragraph why it was safe")

    def begun_by_backfill(self):
        """slurmctld itself would not save such a job for minutes; nobody waits for that here."""
        primary = self.world.primary()
        job = self.world.slurm.submit(40, "gpu-2", begin="now+8")
        time.sleep(9)  # what its submission had slurmctld save is saved
        # Backfill looks again when something has changed: a node, of which no job is saved.
        self.world.slurm.command("scontrol", "update", "nodename=gpu-2", "comment=looked-at")
        wait_for(lambda: self.world.slurm.job(job)["state"] == "RUNNING", 60, "the job's start")
        time.sleep(12)  # a poll, the leader's request, and slurmctld's own 5 s
        self.world.signal(primary, KILL)
        self.moved(self.other(primary))
        wait_for(lambda: self.world.slurm.job(job)["state"] in ("COMPLETED", "PENDING", "FAILED", "NODE_FAIL"), 90,
                 "the job's end", 0.5)
        shown = self.world.slurm.command("scontrol", "-o", "show", "job", job).stdout
        told("JobState=COMPLETED" in shown and " Restarts=0 " in shown, "a job that backfill began outlives a killed one")

    def hung(self):
        primary = self.world.primary()
        self.world.signal(primary, STOP)
        self.moved(self.other(primary))
        self.world.signal(primary, CONT)
        time.sleep(3)
        told(self.world.primary() == self.other(primary), "a hung one that wakes up harms nothing")

    def active_backup_restarted(self):
        """head2 is primary, its slurmctld dies and comes up as standby: nobody is active."""
        if self.world.primary() != HEADS[1]:
            told(self.world.ask(self.world.leader(), "failover").get("ok"), "the backup is made active")
            self.moved(HEADS[1])
            self.settled()
        self.world.signal(HEADS[1], KILL)
        self.world.inside(HEADS[1], "touch", "/run/slurmctld.wanted")
        wait_for(lambda: self.world.primary() in HEADS and self.world.answers(), MOVE_S,
                 "a primary", 0.2)
        told(True, "a restarted active backup leaves nobody without a primary")

    def daemons_restarted(self):
        primary = self.world.primary()
        for head in HEADS:
            self.world.signal(head, KILL, "reconcilerd")
        self.world.signal(primary, KILL)
        wait_for(lambda: self.world.primary() in HEADS and self.world.answers(), MOVE_S,
                 "a primary", 0.2)
        told(True, "both daemons restarted at once, slurmctld dead: it serves again")

    def munged_dead(self):
        primary = self.world.primary()
        mark = self.world.head_folder(primary) / "munged.off"
        mark.touch()
        self.world.signal(primary, KILL, "munged")
        self.moved(self.other(primary))
        told(True, "a primary whose munged is dead is left")
        mark.unlink()

    def host_dead(self):
        """EC2 shows it running; it is forced off, and started again as backup."""
        primary = self.lead_from_afar()
        self.world.power_off(primary)
        self.moved(self.other(primary))
        told(self.said("EC2 showed every instance of that name stopped or terminated"),
             "a dead host is forced off before the other one takes over")
        self.settled()
        told(True, "and is started again, as the backup")

    def host_of_the_leader_dead(self):
        primary = self.world.primary()
        self.lead_from(primary)
        epoch = self.world.status(primary)["lease"]["epoch"]
        self.world.power_off(primary)
        self.moved(self.other(primary), 90)
        told(self.world.status(self.other(primary))["lease"]["epoch"] > epoch,
             "a host that dies with primary and leader on it: the other one leads, then takes over")

    def partition(self):
        primary = self.lead_from_afar()
        self.world.cut(primary)
        self.moved(self.other(primary))
        told(True, "one that is cut off is forced off before the other takes over")

    def fence_refused(self):
        """Cut off, alive, and EC2 does not stop it: nothing may take over."""
        primary = self.lead_from_afar()
        leader = self.other(primary)
        pids = self.world.pids(primary)
        self.world.emulator("refuse", id=self.world.heads[primary]["id"], refuse=True)
        self.world.cut(primary)
        time.sleep(20)
        now = self.world.status(leader)["slurmctld"]
        told(now["failover"] == "stop" and "proved dead" in now.get("block", ""),
             "a refused fence is told, and nothing takes over")
        told(pids and self.world.pids(primary) == pids
             and now["controllers"][HEADS.index(leader)]["seen_here"] != "primary",
             "the old primary is left alone")
        self.world.cut(primary, off=False)
        self.world.emulator("refuse", id=self.world.heads[primary]["id"], refuse=False)
        wait_for(lambda: self.world.status(leader)["slurmctld"]["failover"] == "watch", MOVE_S,
                 "the end of the alarm", 0.2)
        told(True, "when the partition ends it is left as it was, or moved with a fence")

    def launched_anew(self):
        """Its instance is terminated: another one takes its name, at another address."""
        lost = self.lead_from_afar()
        before = self.world.heads[lost]
        self.world.emulator("end", id=before["id"])
        self.moved(self.other(lost))
        wait_for(lambda: self.world.heads[lost]["id"] != before["id"], 90, "a new instance", 0.3)
        addr = self.world.heads[lost]["addr"]
        self.settled(180)
        conf = self.world.slurm_conf.read_text(encoding="utf-8")
        told(addr != before["addr"] and f"SlurmctldHost={lost}({addr})" in conf,
             f"a lost controller is launched anew, slurm.conf names its new address")
        told(len(self.instances(lost)) == 2, "by one launch")
        told(self.world.ask(self.world.leader(), "failover", "--to", lost).get("ok"),
             "the new one may be made primary")
        self.moved(lost)
        told(self.world.answers(), "and serves, from the same state directory")
