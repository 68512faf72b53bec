"""nodewatch watch against a real slurmctld: one line a check.

The kernel log is a pipe that gives records as /dev/kmsg does, with sequence numbers."""

import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

from slurm_world import CONF, WORLD, World, node_addr, sh

NODEWATCH = os.environ["RC_BIN"] + "/nodewatch"
BOOT = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
XID = "NVRM: Xid (PCI:0000:10:1c): {}, pid=77, name=python3, text"
RSS_MAX_KB = 4096
STUCK_CHECK_S = 4
STUCK_LOCAL_S = 10
IDLE_S = 10
IDLE_CPU_SHARE_MAX = 0.0005
STORM_LINES = 100_000
KILLS = 16


class Kmsg:
    """The device's other end."""

    def __init__(self, name):
        self.path, self.seq, self.ring = WORLD / name, 100, []
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)

    def say(self, text, prio=3, seq=None):
        self.seq = self.seq + 1 if seq is None else seq
        self.ring.append(f"{prio},{self.seq},{self.seq * 10},-;{text}\n".encode())
        os.write(self.fd, self.ring[-1])

    def say_bytes(self, body):
        self.seq += 1
        self.write(f"3,{self.seq},{self.seq * 10},-;".encode() + body + b"\n")

    def write(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def give_again(self):
        """To who opens the device anew, it gives all that is in the ring."""
        os.set_blocking(self.fd, False)
        try:
            while os.read(self.fd, 1 << 16):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(self.fd, True)
        os.write(self.fd, b"".join(self.ring))


class Agent:
    def __init__(self, world, node, *options, probes=False, env=None):
        self.on_node, self.env = world.on_node(int(node[1:])), env or {}
        self.node, self.options = node, options if probes else ("--no-probes", *options)
        self.kmsg = Kmsg(f"kmsg-{node}-{time.monotonic_ns()}")
        self.state = WORLD / f"state-{node}"
        self.log = WORLD / f"nodewatch-{node}.log"
        self.log.write_text("")
        self.start()

    def start(self):
        self.proc = subprocess.Popen(
            [*self.on_node, NODEWATCH, "watch", "--node", self.node, "--conf", CONF, "--state",
             self.state, "--kmsg", self.kmsg.path, *self.options],
            env={**os.environ, **self.env}, stderr=self.log.open("ab"))

    def kill(self, sig=signal.SIGKILL):
        self.proc.send_signal(sig)
        return self.proc.wait(20)

    def said(self):
        return self.log.read_text(errors="replace")


class StuckMount:
    """A FUSE file system whose server never answers, not even the kernel's first word."""

    def __init__(self, point):
        self.point = point
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self):
        self.point.mkdir()
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0".encode()
        if self.libc.mount(b"stuck", bytes(self.point), b"fuse.stuck", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        return self.point

    def __exit__(self, *_):
        os.close(self.fd)
        self.libc.umount2(bytes(self.point), 2)


def reason(node):
    return World.node(node)["Reason"].split(" [")[0]


def extra(node):
    text = sh("scontrol", "show", "node", node)
    return next((line.strip().removeprefix("Extra=") for line in text.splitlines()
                 if line.strip().startswith("Extra=")), "")


def drained(node):
    return "DRAIN" in World.node(node)["State"]


def resume(node):
    sh("scontrol", "update", f"nodename={node}", "extra=", check=False)
    sh("scontrol", "update", f"nodename={node}", "state=resume", check=False)
    World.wait(lambda: not drained(node), f"{node} is back")


class Checks:
    def __init__(self, world):
        self.world = world

    def run(self, node, *options):
        resume(node)
        (WORLD / f"state-{node}").unlink(missing_ok=True)
        return Agent(self.world, node, *options)

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
        resume("n1")
        (WORLD / "state-n1").unlink(missing_ok=True)
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

    def check_a_storm_is_one_drain_and_hides_nothing(self):
        agent = self.run("n1")
        World.wait(lambda: rss_kb(agent.proc.pid) > 1024, "it runs")
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

    def check_probes_find_what_the_log_does_not_say(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        device = WORLD / "sys/bus/pci/devices/0000:a0:1c.0"
        device.mkdir(parents=True)
        (device / "aer_dev_fatal").write_text("DLP 1\nTOTAL_ERR_FATAL 1\n")
        agent = Agent(self.world, "n2", "--sysfs", WORLD / "sys", probes=True)
        World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained")
        assert reason("n2").startswith("rc:0 aer:fatal 0000:a0:1c.0 boot="), reason("n2")
        agent.kill()

    def check_a_counter_that_a_person_has_seen_drains_no_more_until_it_moves(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        device = WORLD / "sys4/bus/pci/devices/0000:a0:1c.0"
        device.mkdir(parents=True)
        count = device / "aer_dev_fatal"
        count.write_text("TOTAL_ERR_FATAL 2\n")
        agent = Agent(self.world, "n2", "--sysfs", WORLD / "sys4", "--nvml", "", probes=True)
        World.wait(lambda: drained("n2") and reason("n2").startswith("rc:0 aer:fatal"), "n2 is drained")
        World.wait(lambda: "aer:fatal" in agent.state.read_text(), "it is written down")
        resume("n2")
        time.sleep(1)
        for _ in range(2):
            agent.kill()
            agent.start()
            agent.kmsg.give_again()
            time.sleep(3)  # every probe has looked
            assert not drained("n2"), reason("n2")
        health_check = ["check", "--prolog", "--news", "--since", "90s", "--state", agent.state, "--sysfs",
                        WORLD / "sys4", "--nvml", "", "--kmsg", "/dev/null"]
        done = subprocess.run([NODEWATCH, *health_check], capture_output=True, text=True)
        assert done.returncode == 0 and "aer:fatal 0000:a0:1c.0: 2 fatal" in done.stdout, done.stdout
        agent.kill()
        count.write_text("TOTAL_ERR_FATAL 3\n")
        assert subprocess.run([NODEWATCH, *health_check], stdout=subprocess.DEVNULL).returncode == 1
        agent.start()
        World.wait(lambda: drained("n2") and reason("n2").startswith("rc:0 aer:fatal"), "it is drained again")
        agent.kill()

    def check_a_fatal_line_and_its_counter_are_one_fault(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        device = WORLD / "sys5/bus/pci/devices/0000:a0:1c.0"
        device.mkdir(parents=True)
        (device / "aer_dev_fatal").write_text("TOTAL_ERR_FATAL 0\n")
        agent = Agent(self.world, "n2", "--sysfs", WORLD / "sys5", "--nvml", "", probes=True)
        time.sleep(4)  # every probe has looked once
        (device / "aer_dev_fatal").write_text("TOTAL_ERR_FATAL 1\n")
        agent.kmsg.say("nvidia 0000:a0:1c.0: AER: PCIe Bus Error: severity=Uncorrected (Fatal), "
                       "type=Transaction Layer, (Receiver ID)")
        agent.kmsg.say("pcieport 0000:a0:00.0: AER: Uncorrected (Fatal) error received: 0000:a0:1c.0")
        World.wait(lambda: drained("n2") and reason("n2").startswith("rc:0 aer:fatal"), "n2 is drained")
        time.sleep(3)  # the counter was looked at too
        resume("n2")
        agent.kill()
        agent.start()
        time.sleep(4)
        assert not drained("n2"), (reason("n2"), agent.said())
        agent.kill()

    def check_a_throttled_processor_is_told_while_it_lasts(self):
        """The kernel's line tells of a beginning only: it must not stand for the rest of the boot."""
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        count = WORLD / "sys7/devices/system/cpu/cpu3/thermal_throttle/package_throttle_count"
        count.parent.mkdir(parents=True)
        count.write_text("1\n")
        line = "CPU3: Package temperature is above threshold, cpu clock is throttled (total events = {})"
        agent = Agent(self.world, "n2", "--sysfs", WORLD / "sys7", "--nvml", "", probes=True)
        agent.kmsg.say(line.format(1))  # before the agent was there
        agent.kmsg.say(XID.format(31))
        World.wait(lambda: "xid:31" in extra("n2"), "the last line was read")
        time.sleep(3)  # every probe has looked
        assert "thermal" not in agent.state.read_text(), agent.state.read_text()
        count.write_text("2\n")
        agent.kmsg.say(line.format(2))
        World.wait(lambda: "thermal:cpu" in agent.state.read_text(), "it is throttled again")
        time.sleep(1.2)
        agent.kmsg.say(line.format(2))  # asks for a look, at which the counter stands
        World.wait(lambda: "thermal:cpu" not in agent.state.read_text(), "it is over")
        World.wait(lambda: "thermal:cpu" not in extra("n2"), "extra tells so", 15)
        agent.kill()

    def check_a_gpu_that_leaves_is_missed_by_who_was_not_told_how_many(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        for name in ("0000:10:1c.0", "0000:a0:1c.0"):
            device = WORLD / "sys6/bus/pci/devices" / name
            device.mkdir(parents=True)
            for file, text in (("vendor", "0x10de\n"), ("class", "0x030200\n"), ("config", "\xde\x10\xb0\x20")):
                (device / file).write_text(text, encoding="latin-1")
        agent = Agent(self.world, "n2", "--sysfs", WORLD / "sys6", "--nvml", "", probes=True)
        World.wait(lambda: agent.state.exists() and "seen gpus 2" in agent.state.read_text(), "both were seen")
        assert not drained("n2")
        agent.kill()
        shutil.rmtree(WORLD / "sys6/bus/pci/devices/0000:a0:1c.0")
        agent.start()
        World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained", 15)
        assert reason("n2").startswith("rc:0 gpu:missing boot="), reason("n2")
        agent.kill()

    def check_a_device_that_goes_is_missed_at_once(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        for name in ("0000:10:1c.0", "0000:a0:1c.0"):
            device = WORLD / "sys3/bus/pci/devices" / name
            device.mkdir(parents=True)
            for file, text in (("vendor", "0x10de\n"), ("class", "0x030200\n"),
                               ("config", "\xde\x10\xb0\x20")):
                (device / file).write_text(text, encoding="latin-1")
        agent = Agent(self.world, "n2", "--sysfs", WORLD / "sys3", "--gpus", "2", "--nvml", "", probes=True)
        time.sleep(4)  # all probes have looked once
        assert not drained("n2")
        shutil.rmtree(WORLD / "sys3/bus/pci/devices/0000:a0:1c.0")
        # The kernel says so of a device; here of one that this machine has.
        device = next(pathlib.Path("/sys/bus/pci/devices").iterdir(), None)
        if not device:
            print("# no PCI device here to tell of", flush=True)
            agent.kill()
            return
        began = time.monotonic()
        (device / "uevent").write_text("change")
        World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained", 10)
        print(f"# {time.monotonic() - began:.1f} s from the uevent to the drain", flush=True)
        assert reason("n2").startswith("rc:0 gpu:missing boot="), reason("n2")
        agent.kill()

    def check_an_xid_that_only_nvml_tells_of_drains_and_one_that_both_tell_counts_once(self):
        stub = stub_nvml()
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        os.environ["RC_STUB_GPU"] = "event"
        try:
            agent = Agent(self.world, "n2", "--nvml", stub, probes=True)
            World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained", 15)
            assert reason("n2") == f"rc:0 xid:79 0000:a0:1c boot={BOOT}", reason("n2")
            agent.kill()
            resume("n2")
            agent.state.unlink()
            agent.start()
            agent.kmsg.say("NVRM: Xid (PCI:0000:A0:1C): 79, GPU has fallen off the bus.")
            World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained")
            time.sleep(7)  # NVML has told too
            assert re.search(r"^fault 1 0 0 1 .* xid:79 0000:a0:1c 0$", agent.state.read_text(), re.M), \
                agent.state.read_text()
            agent.kill()
        finally:
            del os.environ["RC_STUB_GPU"]

    def check_a_library_that_hangs_hangs_nobody(self):
        stub = stub_nvml()
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        os.environ["RC_STUB_GPU"] = "hang"
        try:
            agent = Agent(self.world, "n2", "--nvml", stub, probes=True)
            time.sleep(5)
            agent.kmsg.say(XID.format(79))
            World.wait(lambda: drained("n2"), "the agent still hears", 3)
            assert agent.kill(signal.SIGTERM) == 0
        finally:
            del os.environ["RC_STUB_GPU"]

    def check_our_extra_of_an_earlier_boot_is_replaced_and_an_empty_one_left(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
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

    def check_a_file_server_that_does_not_answer_hangs_nobody(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        with StuckMount(WORLD / "stuck") as stuck:
            began = time.monotonic()
            done = subprocess.run([NODEWATCH, "check", "--nvml", ""], capture_output=True, text=True)
            assert done.returncode == 1 and f"fs:stuck {stuck}" in done.stdout, done.stdout
            assert time.monotonic() - began < STUCK_CHECK_S
            assert subprocess.run([NODEWATCH, "check", "--prolog", "--nvml", ""],
                                  stdout=subprocess.DEVNULL).returncode == 0
            agent = Agent(self.world, "n2", probes=True)
            World.wait(lambda: f"fs:stuck@{stuck}" in extra("n2"), "extra tells")
            assert not drained("n2")
            agent.kmsg.say(XID.format(79))
            World.wait(lambda: drained("n2"), "the agent still hears", 3)
            agent.kill()

    def check_a_local_file_system_has_longer_before_it_is_stuck(self):
        tree = WORLD / "proc"
        (tree / "self").mkdir(parents=True)
        (tree / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 9 kB\n")
        with StuckMount(WORLD / "stuck-local") as stuck:
            (tree / "self/mounts").write_text(f"/dev/nvme9n1 {stuck} ext4 rw 0 0\n")
            began = time.monotonic()
            done = subprocess.run([NODEWATCH, "check", "--prolog", "--nvml", "", "--proc", tree, "--kmsg",
                                   "/dev/null"], capture_output=True, text=True)
            took = time.monotonic() - began
            assert done.returncode == 1 and f"fs:stuck-local {stuck}" in done.stdout, done.stdout
            assert STUCK_LOCAL_S <= took < STUCK_LOCAL_S + STUCK_CHECK_S, took

    def check_a_clock_that_is_off_slurmctlds_is_told_until_it_is_right(self):
        resume("n2")
        (WORLD / "state-n2").unlink(missing_ok=True)
        off = WORLD / "clock-off"
        off.write_text("0")
        agent = Agent(self.world, "n2", "--compare-clock", "1s", "--nvml", "", probes=True,
                      env={"LD_PRELOAD": library("clock_off", "tests/watch/clock_off.c"), "RC_CLOCK_OFF": str(off)})
        time.sleep(5)
        assert "clock:skew" not in extra("n2"), extra("n2")
        for seconds, words in ((90, "ahead of"), (-45, "behind")):
            off.write_text(str(seconds))
            World.wait(lambda: "clock:skew*" in extra("n2"), "extra tells", 30)
            World.wait(lambda: re.search(rf"clock is (\d+) s {words} slurmctld", agent.said()), "the log tells")
            told = int(re.search(rf"clock is (\d+) s {words}", agent.said())[1])
            assert abs(seconds) - 2 <= told <= abs(seconds), told
            off.write_text("0")
            World.wait(lambda: "clock:skew*" not in extra("n2"), "it is over", 30)
        assert not drained("n2")
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


def library(name, source):
    path = WORLD / f"{name}.so"
    if not path.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-o", path, pathlib.Path(os.environ["RC_TOP"], source)],
                       check=True)
    return str(path)


def stub_nvml():
    """Our own library in NVML's place, loaded by path."""
    return library("stub_nvml", "tests/unit/watch/stub_nvml.c")


def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rss_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_s(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def main():
    world = World(live=2)
    checks = Checks(world)
    only, failed = sys.argv[1:], 0
    for name in [n for n in vars(Checks) if n.startswith("check_")]:
        if only and not any(word in name for word in only):
            continue
        words = name.removeprefix("check_").replace("_", " ")
        try:
            getattr(checks, name)()
            print(f"ok - watch: {words}", flush=True)
        except Exception:  # any failure is a failed check; the next ones still run
            failed += 1
            print(f"not ok - watch: {words}", flush=True)
            print("".join(f"#   {line}\n" for line in traceback.format_exc().splitlines()), flush=True)
    sys.exit(1 if failed else 0)


main()
