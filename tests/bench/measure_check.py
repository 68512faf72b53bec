"""check: one `nodewatch check` over a tree that is laid out as a p4d.24xlarge in health, with our own
library in NVML's place. Slurm waits for it as prolog and HealthCheckProgram."""

import os
import pathlib
import resource
import subprocess
import tempfile
import time

from bench_rows import Failure, note, percentile, row

LOOKS, WARM_UP, P50_MS_MAX = 60, 5, 50.0
BUSES = ("10", "20", "90", "a0")
LOG_LINES = 4000  # a kernel log of some weeks

GPU = {"vendor": "0x10de\n", "device": "0x20b0\n", "class": "0x030200\n", "config": "\xde\x10\xb0\x20",
       "current_link_width": "16\n", "max_link_width": "16\n", "current_link_speed": "8.0 GT/s PCIe\n",
       "max_link_speed": "16.0 GT/s PCIe\n", "aer_dev_fatal": "Undefined 0\nDLP 0\nTOTAL_ERR_FATAL 0\n",
       "aer_dev_nonfatal": "Undefined 0\nTOTAL_ERR_NONFATAL 0\n",
       "aer_dev_correctable": "RxErr 0\nTOTAL_ERR_COR 0\n"}


def put(folder, files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="latin-1")


def lay_out(top):
    devices = top / "sys/bus/pci/devices"
    for bus in BUSES:
        for slot in ("1c", "1d"):
            put(devices / f"0000:{bus}:{slot}.0", GPU)
        put(devices / f"0000:{bus}:1b.0", {**GPU, "vendor": "0x1d0f\n", "device": "0xefa0\n", "class": "0x020000\n"})
        put(top / f"sys/class/infiniband/rdmap{int(bus, 16)}s27/hw_counters", {"no_completion_cmds": "0\n", "cmds_err": "0\n"})
    for i in range(8):
        put(top / f"sys/class/nvme/nvme{i}", {"state": "live\n"})
    for i in range(96):
        put(top / f"sys/devices/system/cpu/cpu{i}/thermal_throttle", {"package_throttle_count": "0\n"})
    put(top / "proc/self", {"mounts": "proc /proc proc rw 0 0\n/dev/nvme0n1p1 / ext4 rw,relatime 0 0\n"})
    put(top / "proc/sys/kernel/random", {"boot_id": "1a2b3c4d-0000\n"})
    put(top / "etc", {"fstab": ""})
    (top / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 500 kB\nHardwareCorrupted: 0 kB\n")
    (top / "kmsg").write_text("".join(
        f"6,{i},{i}000,-;IPv6: ADDRCONF(NETDEV_CHANGE): eth{i}: link becomes ready\n" for i in range(LOG_LINES)))


def look(command, env):
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Failure(f"check found something on a healthy node: {done.stdout[-400:]}{done.stderr[-200:]}")
    return wall * 1000, (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000


def measure(build):
    note(f"check: {LOOKS} looks")
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        lay_out(top)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", top / "nvml.so", "tests/unit/watch/stub_nvml.c"], check=True)
        command = [build / "bin" / "nodewatch", "check", "--gpus", "8", "--efas", "4", "--nvml", top / "nvml.so",
                   *(word for part in ("sys", "proc", "etc") for word in
                     ({"sys": "--sysfs"}.get(part, f"--{part}"), top / part)), "--kmsg", top / "kmsg"]
        env = {**os.environ, "RC_STUB_GPUS": "8"}
        looks = [look(command, env) for _ in range(LOOKS + WARM_UP)][WARM_UP:]
        floor = [look(["true"], env) for _ in range(LOOKS)]
    walls, cpus = [wall for wall, _ in looks], [cpu for _, cpu in looks]
    return [row("check", "p50", percentile(walls, 0.5), "ms", baseline=percentile([w for w, _ in floor], 0.5),
                limit=P50_MS_MAX),
            row("check", "p99", percentile(walls, 0.99), "ms"),
            row("check", "cpu_p50", percentile(cpus, 0.5), "ms")]
