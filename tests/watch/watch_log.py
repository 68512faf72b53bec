"""What the kernel's log says, and what becomes of it: a drain, a word in Extra, or nothing."""

import os
import random
import re
import signal
import subprocess
import time

from slurm_world import CONF, WORLD, World, node_addr, sh
from watch_world import BOOT, NODEWATCH, XID, Checks, cpu_s, drained, extra, fresh, reason, rss_kb

RSS_MAX_KB = 4096
IDLE_S = 10
IDLE_CPU_SHARE_MAX = 0.0005
STORM_LINES = 100_000


class LogChecks(Checks):
    def check_a_guilty_node_is_drained_with_a_readable_reason(self):
        agent = self.run("n1")
        agent.kmsg.say(XID.format(79))
        World.wait(lambda: drained("n1") and reason("n1"), "n1 is drained")
        assert reason("n1") == f"rc:0 xid:79 0000:10:1c boot={BOOT}", reason("n1")
        assert "xid:79" in sh("sinfo", "-R", "-h")
        assert agent.kill(signal.SIGTERM) == 0

    def check_what_makes_the_job_suspect_goes_into_extra_and_drains_nothing(self):
        agent = self.run("n1")
        for _ in range(5):
            agent.kmsg.say(XID.format(31))
        World.wait(lambda: "xid:31" in extra("n1"), "extra tells")
        assert extra("n1").startswith(f"rc:0 boot={BOOT} xid:31@0000:10:1c*5:"), extra("n1")
        assert not drained("n1")
        agent.kill()

    def check_an_instance_that_has_lost_the_name_tells_nothing_in_it(self):
        agent = self.run("n2")
        sh("scontrol", "update", "nodename=n2", "nodeaddr=203.0.113.7")
        agent.kmsg.say(XID.format(79))
        World.wait(lambda: "belongs to another address" in agent.said(), "the agent sees it")
        assert not drained("n2") and not extra("n2"), (World.node("n2"), extra("n2"))
        sh("scontrol", "update", "nodename=n2", f"nodeaddr={node_addr(2)}")
        World.wait(lambda: drained("n2"), "registered after all: it is drained", 20)
        agent.kill()

    def check_the_job_on_the_node_is_named(self):
        agent = self.run("n1")
        job = sh("sbatch", "--parsable", "-n1", "-w", "n1", "--output=/dev/null", "--wrap", "sleep 60",
                 "--chdir=/tmp").strip()
        World.wait(lambda: "JobState=RUNNING" in sh("scontrol", "show", "job", job), "it runs", 20)
        time.sleep(1)
        agent.kmsg.say(XID.format(31))
        World.wait(lambda: "xid:31" in extra("n1"), "extra tells")
        assert re.search(rf" xid:31@0000:10:1c\*1:\d+/{job}$", extra("n1")), extra("n1")
        agent.kmsg.say(XID.format(79))
        World.wait(lambda: drained("n1") and reason("n1"), "n1 is drained")
        assert reason("n1") == f"rc:0 xid:79 0000:10:1c boot={BOOT} job={job}", reason("n1")
        assert "JobState=RUNNING" in sh("scontrol", "show", "job", job)
        sh("scancel", job)
        World.wait(lambda: "JobState=RUNNING" not in sh("scontrol", "show", "job", job), "it ends", 20)
        agent.kill()

    def check_lines_of_programs_and_benign_lines_do_nothing(self):
        agent = self.run("n1")
        agent.kmsg.say(XID.format(79), prio=12)
        agent.kmsg.say("slurmd[1]: " + XID.format(79))
        agent.kmsg.say("NVRM: loading NVIDIA UNIX x86_64 Kernel Module")
        agent.kmsg.say(XID.format(13))
        World.wait(lambda: "xid:13" in extra("n1"), "the last line was read")
        assert not drained("n1") and "xid:79" not in extra("n1")
        agent.kill()

    def check_the_kernel_marks_what_users_write_to_its_log(self):
        """On the real device: whatever facility a program claims, the kernel makes it a user's."""
        if not os.access("/dev/kmsg", os.W_OK):
            print("# no /dev/kmsg to write to", flush=True)
            return
        fresh("n1")
        with open(WORLD / "real.log", "wb") as log:
            agent = subprocess.Popen(
                [*self.world.on_node(1), NODEWATCH, "watch", "--node", "n1", "--conf", CONF,
                 "--state", WORLD / "state-n1", "--no-probes"], stderr=log)
        time.sleep(1)
        word = f"test-{time.monotonic_ns()}"
        with open("/dev/kmsg", "w", encoding="ascii") as device:
            device.write(f"<3>{XID.format(79)} {word}\n")
        heard = subprocess.run([NODEWATCH, "check", "--json", "--nvml", ""], capture_output=True, text=True)
        time.sleep(1)
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        records = []
        try:
            while True:
                try:
                    records.append(os.read(fd, 8192).decode(errors="replace"))
                except BrokenPipeError:
                    continue
        except BlockingIOError:
            os.close(fd)
        ours = [r for r in records if word in r]
        assert len(ours) == 1 and int(ours[0].split(",")[0]) >> 3 == 1, ours  # LOG_USER
        assert "xid:79" not in heard.stdout and not drained("n1")
        assert "xid:79" not in (WORLD / "real.log").read_text()
        agent.kill()
        agent.wait()

    def check_a_storm_is_one_drain_and_hides_nothing(self):
        agent = self.run("n1")
        agent.kmsg.say(XID.format(13))
        World.wait(lambda: "xid:13" in extra("n1"), "it has done all of it once")
        before = rss_kb(agent.proc.pid)
        for i in range(STORM_LINES):
            agent.kmsg.say(XID.format(31) if i != STORM_LINES // 2 else XID.format(79))
        World.wait(lambda: drained("n1") and f"xid:31@0000:10:1c*{STORM_LINES - 1}" in extra("n1"),
                   "all lines are counted", 40)
        assert "xid:79" in reason("n1")
        assert agent.said().count("draining n1") == 1, agent.said()[-2000:]
        assert rss_kb(agent.proc.pid) <= before + 256
        agent.kill()

    def check_any_bytes_in_the_log_are_read_over(self):
        agent, dice = self.run("n1"), random.Random(1)
        head = XID.format(31).encode()
        for body in (dice.randbytes(65536), head + b"\x00" * 65536, b"\xff" * 9000, head[:20],
                     head + dice.randbytes(8192 - len(head)), b"\x1b[31m" + head):
            agent.kmsg.say_bytes(body.replace(b"\n", b"?"))
        agent.kmsg.write(dice.randbytes(65536))  # no record at all, cut in its middle
        agent.kmsg.write(b"\n3,4711\n\n;;;\n3,99999999999999999999999,1,-;x\n")
        agent.kmsg.say(XID.format(79))
        World.wait(lambda: drained("n1") and reason("n1"), "n1 is drained")
        assert reason("n1") == f"rc:0 xid:79 0000:10:1c boot={BOOT}", reason("n1")
        World.wait(lambda: "xid:31@0000:10:1c*2:" in extra("n1"), f"two of them were Xids: {extra('n1')}")
        agent.kill()

    def check_an_overrun_is_seen_and_told(self):
        agent = self.run("n1")
        agent.kmsg.say("benign")
        agent.kmsg.say("benign", seq=agent.kmsg.seq + 500)
        World.wait(lambda: "log:overrun" in extra("n1"), "extra tells")
        assert "499 kernel messages" in agent.said()
        agent.kill()

    def check_idle_costs_next_to_nothing(self):
        agent = self.run("n1")
        World.wait(lambda: cpu_s(agent.proc.pid) is not None, "it runs")
        time.sleep(1)
        before = cpu_s(agent.proc.pid)
        time.sleep(IDLE_S)
        share = (cpu_s(agent.proc.pid) - before) / IDLE_S
        print(f"# idle: {rss_kb(agent.proc.pid)} KiB resident, {share * 100:.3f} % of a core",
              flush=True)
        assert rss_kb(agent.proc.pid) <= RSS_MAX_KB
        assert share <= IDLE_CPU_SHARE_MAX
        agent.kill()
