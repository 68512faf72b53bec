"""What is ended in the middle, agent, helper or slurmctld, loses nothing and tells nothing twice."""

import os
import random
import signal
import time

from slurm_world import WORLD, World
from watch_world import BOOT, XID, Agent, Checks, children, drained, extra, reason, resume

KILLS = 16


class RestartChecks(Checks):
    def check_slurmctld_away_is_no_loss_even_over_a_killed_agent(self):
        agent = self.run("n2")
        World.wait(lambda: agent.proc.poll() is None, "it runs")
        self.world.stop_slurmctld()
        agent.kmsg.say(XID.format(95))
        World.wait(lambda: "again in" in agent.said(), "a try has failed", 60)
        World.wait(lambda: agent.state.exists() and "xid:95" in agent.state.read_text(), "saved")
        agent.kill()
        self.world.start_slurmctld()
        assert not drained("n2")
        agent.start()
        World.wait(lambda: drained("n2") and "xid:95" in reason("n2"), "n2 is drained", 60)
        agent.kill()

    def check_a_restart_replays_nothing_and_hears_what_came_between(self):
        agent = self.run("n2")
        agent.kmsg.say(XID.format(31))
        World.wait(lambda: "xid:31@0000:10:1c*1:" in extra("n2"), "extra tells")
        World.wait(lambda: agent.state.exists() and
                   f"seq {agent.kmsg.seq + 1} " in agent.state.read_text(), "saved")
        agent.kill()
        old = agent.kmsg.seq
        agent.kmsg.say(XID.format(31), seq=old)
        agent.kmsg.say(XID.format(31), seq=old + 1)
        agent.kmsg.say(XID.format(79), seq=old + 2)
        agent.start()
        World.wait(lambda: drained("n2"), "n2 is drained")
        World.wait(lambda: "xid:31@0000:10:1c*2:" in extra("n2"), "extra tells")
        agent.kill()

    def check_an_agent_that_is_killed_at_any_step_loses_nothing_and_counts_nothing_twice(self):
        agent, dice = self.run("n1"), random.Random(KILLS)
        for turn in range(KILLS):
            agent.kmsg.say(XID.format(31))
            if turn == KILLS // 2:
                agent.kmsg.say(XID.format(79))
            time.sleep(dice.choice((0, 0.01, 0.05, 0.15, 0.25, 0.4)))
            agent.kill()
            agent.kmsg.give_again()
            agent.start()
        World.wait(lambda: drained("n1") and reason("n1"), "n1 is drained", 20)
        assert reason("n1") == f"rc:0 xid:79 0000:10:1c boot={BOOT}", reason("n1")
        World.wait(lambda: f"xid:31@0000:10:1c*{KILLS}:" in extra("n1"), f"each is counted once: {extra('n1')}", 20)
        assert "xid:79@0000:10:1c*1:" in extra("n1"), extra("n1")
        agent.kill()

    def check_a_helper_that_is_killed_at_any_step_loses_nothing(self):
        agent, dice = self.run("n1"), random.Random(KILLS)
        for turn in range(KILLS):
            agent.kmsg.say(XID.format(31))
            if turn == KILLS // 2:
                agent.kmsg.say(XID.format(79))
            time.sleep(dice.choice((0, 0.01, 0.05, 0.15, 0.3)))
            for helper in children(agent.proc.pid):
                os.kill(helper, signal.SIGKILL)
        World.wait(lambda: drained("n1") and reason("n1"), "n1 is drained", 30)
        assert reason("n1") == f"rc:0 xid:79 0000:10:1c boot={BOOT}", reason("n1")
        World.wait(lambda: f"xid:31@0000:10:1c*{KILLS}:" in extra("n1"), f"each is counted once: {extra('n1')}", 40)
        agent.kill()

    def check_faults_of_an_earlier_boot_are_dropped(self):
        resume("n2")
        state = WORLD / "state-n2"
        state.write_text("nodewatch 2 boot 00000000-dead\nseq 999999 extra 0\n"
                         "fault 1 1 0 1 1 0 0 xid:79 0000:10:1c\n")
        agent = Agent(self.world, "n2")
        agent.kmsg.say(XID.format(31))
        World.wait(lambda: "xid:31" in extra("n2"), "a low number of this boot is heard")
        assert not drained("n2") and "xid:79" not in extra("n2")
        agent.kill()
