"""People's orders, repairs on their way, and a slurmctld that dies again and again."""
import secrets
import time

from tests.failover.failover_case import MOVE_S, Case, told
from tests.failover.liar import Liar
from tests.real.lifeline import run
from tests.real.pair import HEADS, KILL, PEER_PORT
from tests.real.slurm import wait_for
from tests.real.world import programs


class OrderCases(Case):
    def by_hand(self):
        world, primary = self.world, self.world.primary()
        leader, to = world.leader(), self.other(world.primary())
        same = world.ask(leader, "failover", "--to", primary)
        told(not same.get("ok") and "already" in same.get("text", ""),
             "to the one that is primary is refused")
        nobody = world.ask(leader, "failover", "--to", "head9")
        told(not nobody.get("ok") and "no controller" in nobody.get("text", ""),
             "to one that is none is refused")
        standby = world.ask(self.other(leader), "failover", "--to", to)
        told(not standby.get("ok") and "does not lead" in standby.get("text", ""),
             "a daemon that does not lead refuses it")
        dry = world.ask(leader, "failover", "--to", to, "--dry-run")
        told(dry.get("ok") and "nothing was done" in dry["text"], "a dry run says what it would do")
        time.sleep(1)
        told(world.primary() == primary, "a dry run does nothing")
        socket = world.head_folder(leader) / "control.sock"
        done = run(programs() / "reconcilectl", "--socket", socket, "failover", "--to", to,
                   check=False)
        told(done.returncode == 0 and "waits for the new one" in done.stdout
             and f"It was safe because {primary}'s daemon ended" in done.stdout,
             "by hand it moves, and the command tells what proved that it was safe")
        told(world.primary() == to, "when it comes back, that one serves")

    def status_says_who(self):
        """What an operator reads on either controller."""
        leader, primary = self.world.leader(), self.world.primary()
        for head in HEADS:
            socket = self.world.head_folder(head) / "control.sock"
            text = run(programs() / "reconcilectl", "--socket", socket, "status").stdout
            told(f"slurmctld {primary} is primary, since" in text and ", epoch " in text
                 and ("lease     held" if head == leader else f"{leader} leads") in text,
                 f"status on {head} says who leads, since when, and who is primary")
            told(f"backup    {self.other(primary)}: " in text and ", could take over" in text,
                 "and that the other one could take over")

    def peer_lies(self):
        """A caller on the link of the two daemons who is not what it says."""
        world, primary = self.world, self.lead_from_afar()
        pids = world.pids(primary)
        key = (world.folder / "peer.key").read_bytes()
        addr, other = world.heads[primary]["addr"], self.other(primary)
        lies = (("another version", {"version": 2}, key, "speaks version 2"),
                ("another cluster", {"cluster": "other"}, key, 'is of cluster "other"'),
                ("another host", {"host": primary}, key, "calls itself"),
                ("another key", {}, secrets.token_bytes(64), "another key"))
        for what, changed, used, words in lies:
            with Liar(addr, PEER_PORT, used) as liar:
                answer = liar.greet(**{"cluster": world.cluster, "host": other, **changed})
            told(answer.startswith("no ") and words in answer and self.said(words),
                 f"a peer of {what} is refused, and the log says so")
        with Liar(addr, PEER_PORT, key) as liar:
            greeted = liar.greet(world.cluster, other)
            told(greeted.startswith("ok ") and "over" in liar.ask("fence epoch=0 grace=0"),
                 "the order of an epoch that is over is refused, though its key is right")
        told(world.pids(primary) == pids and world.primary() == primary, "and nothing was done")

    def during_repair(self):
        """A node is being replaced when slurmctld dies: both are finished, once."""
        primary = self.lead_from_afar()
        old = self.world.slurm.nodes()["gpu-2"]["addr"]
        known = {i["id"] for i in self.instances("gpu-2")}
        killed = set(self.world.pids(primary))
        self.world.emulator("end", id=next(i["id"] for i in self.instances("gpu-2")
                                           if i["state"] == "running"))
        wait_for(lambda: {i["id"] for i in self.instances("gpu-2")} - known, MOVE_S,
                 "the launch of a replacement", 0.05)
        self.world.signal(primary, KILL)
        # Elsewhere, or where it was when the other one is not well at this moment.
        wait_for(lambda: not killed & set(self.world.pids(primary))
                 and self.world.primary() in HEADS and self.world.answers(), MOVE_S, "a primary", 0.2)
        wait_for(lambda: self.serves("gpu-2", old), 180, "gpu-2 in service again", 0.5)
        told(len({i["id"] for i in self.instances("gpu-2")} - known) == 1,
             "a fail-over during a repair: the node comes back by the one launch it had")

    def serves(self, name, not_at):
        """In service, with the instance that it has got; its incident is closed."""
        if not self.world.answers():
            return False
        node = self.world.slurm.nodes()[name]
        leader = self.world.leader()
        return node["state"] == {"IDLE"} and node["responding"] and node["addr"] != not_at and \
            leader and not self.world.status(leader).get("incidents")

    def limit(self, **failovers):
        """Another limit of fail-overs, in force on both."""
        hashes = {h: self.world.status(h)["policy"]["hash"] for h in HEADS}
        for head in HEADS:
            self.world.write_policy(head, **failovers)
        wait_for(lambda: all(self.world.status(h)["policy"]["hash"] != hashes[h] for h in HEADS),
                 30, "the new limit on both", 0.3)

    def flapping(self):
        """One move is what the policy allows in an hour: then it stays, whoever leads."""
        primary = self.world.primary()
        self.world.signal(primary, KILL)
        self.moved(self.other(primary))
        self.settled()
        stays = self.world.primary()
        self.limit(failovers={"max": 1, "within": "1h"})
        for leader in HEADS:
            self.lead_from(leader)
            self.settled()
            pids = self.world.pids(stays)
            self.world.signal(stays, KILL)
            wait_for(lambda: self.world.pids(stays) and self.world.pids(stays) != pids
                     and self.world.primary() and self.world.answers(), MOVE_S, "a primary", 0.2)
            told(self.world.primary() == stays,
                 f"after too many moves it is started where it was ({leader} leads)")
            self.settled()
        told(self.said("too many fail-overs in a short time"), "and people are told")
        self.limit()
