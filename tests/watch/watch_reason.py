"""Whose Reason and Extra it is: what somebody else has written there stays."""

import time

from slurm_world import World, sh
from watch_world import BOOT, XID, Agent, Checks, drained, extra, fresh, reason, resume


class ReasonChecks(Checks):
    def check_a_foreign_drain_is_kept_and_the_fault_told_in_extra(self):
        agent = self.run("n1")
        sh("scontrol", "update", "nodename=n1", "state=drain", "reason=disk swap, ask Ann")
        agent.kmsg.say(XID.format(79))
        World.wait(lambda: "xid:79@0000:10:1c" in extra("n1"), "extra tells")
        assert reason("n1") == "disk swap, ask Ann", reason("n1")
        agent.kill()

    def check_an_incidents_drain_is_kept_and_the_fault_told_in_extra(self):
        agent = self.run("n1")
        sh("scontrol", "update", "nodename=n1", "state=drain", "reason=rc:12 retirement")
        agent.kmsg.say(XID.format(79))
        World.wait(lambda: "xid:79@0000:10:1c" in extra("n1"), "extra tells")
        assert reason("n1") == "rc:12 retirement", reason("n1")
        agent.kill()

    def check_a_reason_that_was_left_over_gives_way_to_the_agents(self):
        """24.11 keeps the reason of a node that was taken back."""
        for left in ("rc:12 retirement", "operator, done by now"):
            agent = self.run("n1")
            sh("scontrol", "update", "nodename=n1", "state=drain", f"reason={left}")
            resume("n1")
            if not reason("n1"):
                print("# this release takes the reason away with the drain", flush=True)
                agent.kill()
                return
            assert reason("n1") == left
            agent.kmsg.say(XID.format(79))
            World.wait(lambda: drained("n1") and reason("n1") != left, f"the reason is new: {World.node('n1')}")
            assert reason("n1") == f"rc:0 xid:79 0000:10:1c boot={BOOT}", reason("n1")
            agent.kill()

    def check_somebody_elses_extra_is_kept(self):
        agent = self.run("n1")
        sh("scontrol", "update", "nodename=n1", "extra=rack 7")
        agent.kmsg.say(XID.format(31))
        World.wait(lambda: "n1 is foreign" in agent.said(), "the helper told")
        assert extra("n1") == "rack 7"
        agent.kill()

    def check_our_extra_of_an_earlier_boot_is_replaced_and_an_empty_one_left(self):
        fresh("n2")
        sh("scontrol", "update", "nodename=n2", "extra=rc:0 boot=00000000 xid:31@0000:10:1c*9:1")
        agent = Agent(self.world, "n2")
        World.wait(lambda: extra("n2") == f"rc:0 boot={BOOT}", "what was of an earlier boot is gone")
        agent.kill()
        resume("n2")
        agent.state.unlink(missing_ok=True)
        agent.start()
        time.sleep(2)
        assert extra("n2") == "", extra("n2")
        agent.kill()
