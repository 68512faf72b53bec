"""What the log does not say: counters, devices, NVML, file systems, the clock."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from slurm_world import WORLD, World
from watch_world import (BOOT, NODEWATCH, XID, Checks, StuckMount, drained, extra, library, reason, resume, stub_nvml)

STUCK_CHECK_S = 4
STUCK_LOCAL_S = 10


def two_gpus(tree):
    """As the kernel shows them, at 10:1c and a0:1c."""
    for name in ("0000:10:1c.0", "0000:a0:1c.0"):
        device = tree / "bus/pci/devices" / name
        device.mkdir(parents=True)
        for file, text in (("vendor", "0x10de\n"), ("class", "0x030200\n"), ("config", "\xde\x10\xb0\x20")):
            (device / file).write_text(text, encoding="latin-1")


class ProbeChecks(Checks):
    def check_probes_find_what_the_log_does_not_say(self):
        device = WORLD / "sys/bus/pci/devices/0000:a0:1c.0"
        device.mkdir(parents=True)
        (device / "aer_dev_fatal").write_text("DLP 1\nTOTAL_ERR_FATAL 1\n")
        agent = self.run("n2", "--sysfs", WORLD / "sys", probes=True)
        World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained")
        assert reason("n2").startswith("rc:0 aer:fatal 0000:a0:1c.0 boot="), reason("n2")
        agent.kill()

    def check_a_counter_that_a_person_has_seen_drains_no_more_until_it_moves(self):
        device = WORLD / "sys4/bus/pci/devices/0000:a0:1c.0"
        device.mkdir(parents=True)
        count = device / "aer_dev_fatal"
        count.write_text("TOTAL_ERR_FATAL 2\n")
        agent = self.run("n2", "--sysfs", WORLD / "sys4", "--nvml", "", probes=True)
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
        device = WORLD / "sys5/bus/pci/devices/0000:a0:1c.0"
        device.mkdir(parents=True)
        (device / "aer_dev_fatal").write_text("TOTAL_ERR_FATAL 0\n")
        agent = self.run("n2", "--sysfs", WORLD / "sys5", "--nvml", "", probes=True)
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
        count = WORLD / "sys7/devices/system/cpu/cpu3/thermal_throttle/package_throttle_count"
        count.parent.mkdir(parents=True)
        count.write_text("1\n")
        line = "CPU3: Package temperature is above threshold, cpu clock is throttled (total events = {})"
        agent = self.run("n2", "--sysfs", WORLD / "sys7", "--nvml", "", probes=True)
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
        two_gpus(WORLD / "sys6")
        agent = self.run("n2", "--sysfs", WORLD / "sys6", "--nvml", "", probes=True)
        World.wait(lambda: agent.state.exists() and "seen gpus 2" in agent.state.read_text(), "both were seen")
        assert not drained("n2")
        agent.kill()
        shutil.rmtree(WORLD / "sys6/bus/pci/devices/0000:a0:1c.0")
        agent.start()
        World.wait(lambda: drained("n2") and reason("n2"), "n2 is drained", 15)
        assert reason("n2").startswith("rc:0 gpu:missing boot="), reason("n2")
        agent.kill()

    def check_a_device_that_goes_is_missed_at_once(self):
        two_gpus(WORLD / "sys3")
        agent = self.run("n2", "--sysfs", WORLD / "sys3", "--gpus", "2", "--nvml", "", probes=True)
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
        os.environ["RC_STUB_GPU"] = "event"
        try:
            agent = self.run("n2", "--nvml", stub, probes=True)
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
        os.environ["RC_STUB_GPU"] = "hang"
        try:
            agent = self.run("n2", "--nvml", stub, probes=True)
            time.sleep(5)
            agent.kmsg.say(XID.format(79))
            World.wait(lambda: drained("n2"), "the agent still hears", 3)
            assert agent.kill(signal.SIGTERM) == 0
        finally:
            del os.environ["RC_STUB_GPU"]

    def check_a_file_server_that_does_not_answer_hangs_nobody(self):
        with StuckMount(WORLD / "stuck") as stuck:
            began = time.monotonic()
            done = subprocess.run([NODEWATCH, "check", "--nvml", ""], capture_output=True, text=True)
            assert done.returncode == 1 and f"fs:stuck {stuck}" in done.stdout, done.stdout
            assert time.monotonic() - began < STUCK_CHECK_S
            assert subprocess.run([NODEWATCH, "check", "--prolog", "--nvml", ""],
                                  stdout=subprocess.DEVNULL).returncode == 0
            agent = self.run("n2", probes=True)
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
        off = WORLD / "clock-off"
        off.write_text("0")
        agent = self.run("n2", "--compare-clock", "1s", "--nvml", "", probes=True,
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
