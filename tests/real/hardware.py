"""What an instance of a test world shows of its hardware: sysfs, kernel log and GPUs of a
p4d.24xlarge, as files that instance.sh puts in their places.

The kernel log is a file for who reads it whole, as /dev/kmsg gives all that is in the ring, and a
pipe for the agent that waits for the next record; both get each record, with its sequence number.
What is broken stays so over a reboot or not, as the story wants it.
"""
import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

# aws-ofi-nccl's p4d-24xl-topo.xml: two GPUs and a network card on each of four switches.
BUSES = (0x10, 0x20, 0x90, 0xA0)
GPUS = [f"0000:{bus:02x}:{slot}.0" for bus in BUSES for slot in ("1c", "1d")]
EFAS = {f"0000:{bus:02x}:1b.0": f"rdmap{bus}s27" for bus in BUSES}
# The GPU that stub_nvml.c and nvidia-smi make ill.
ILL_GPU = "0000:a0:1c"
NODES = 8
FACILITY_KERNEL, LEVEL_ERR = 0, 3


class Hardware:
    def __init__(self, folder, stub, number):
        self.folder, self.sys, self.stub = folder, folder / "sys", stub
        self.kmsg, self.pipe = folder / "kmsg", folder / "kmsg.pipe"
        self.number = number
        self.seq = 0
        self.pipe_fd = None
        self.sticky = []  # what is broken again after a boot: (function, arguments)

    # --- life -------------------------------------------------------------------

    def boot(self):
        """As after power-on: whole, but for what is broken for good."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.sys, ignore_errors=True)
        self.lay_out()
        (self.folder / "ill").write_text("")
        (self.folder / "serial").write_text(f"16529{self.number:06d}")
        (self.folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        if not (self.folder / "stub_nvml.so").exists():
            shutil.copy(self.stub, self.folder / "stub_nvml.so")
        self.kmsg.write_text("")
        if self.pipe_fd is not None:
            os.close(self.pipe_fd)
        self.pipe.unlink(missing_ok=True)
        os.mkfifo(self.pipe)
        # Open at both ends, so that the agent never sees an end of it.
        self.pipe_fd = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        self.seq = 0
        self.say("Linux version 6.1.0 (slurm-on-aws machine-maker)", level=5)
        for function, arguments in self.sticky:
            function(*arguments)

    def close(self):
        if self.pipe_fd is not None:
            os.close(self.pipe_fd)
            self.pipe_fd = None

    def put(self, path, text):
        file = self.sys / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="latin-1")

    def lay_out(self):
        for addr in GPUS:
            for name, text in (
                    ("vendor", "0x10de\n"), ("device", "0x20b0\n"), ("class", "0x030200\n"),
                    ("config", "\xde\x10\xb0\x20"), ("current_link_width", "16\n"),
                    ("max_link_width", "16\n"), ("current_link_speed", "8.0 GT/s PCIe\n"),
                    ("max_link_speed", "16.0 GT/s PCIe\n"),
                    ("aer_dev_fatal", "Undefined 0\nTOTAL_ERR_FATAL 0\n"),
                    ("aer_dev_nonfatal", "Undefined 0\nTOTAL_ERR_NONFATAL 0\n"),
                    ("aer_dev_correctable", "RxErr 0\nTOTAL_ERR_COR 0\n")):
                self.put(f"bus/pci/devices/{addr}/{name}", text)
        for addr, name in EFAS.items():
            self.put(f"bus/pci/devices/{addr}/vendor", "0x1d0f\n")
            self.put(f"bus/pci/devices/{addr}/device", "0xefa0\n")
            for counter, value in (("no_completion_cmds", 0), ("cmds_err", 0), ("keep_alive_rcvd", 9)):
                self.put(f"class/infiniband/{name}/hw_counters/{counter}", f"{value}\n")
            for counter in ("rx_drops", "retrans_pkts", "retrans_timeout_events"):
                self.put(f"class/infiniband/{name}/ports/1/hw_counters/{counter}", "0\n")
        for i in range(NODES):
            self.put(f"class/nvme/nvme{i}/state", "live\n")
        self.put("class/dmi/id/product_name", "p4d.24xlarge\n")
        for place in ("devices/system", "fs/cgroup", "kernel"):
            (self.sys / place).mkdir(parents=True)

    # --- what breaks ------------------------------------------------------------

    def say(self, text, level=LEVEL_ERR, facility=FACILITY_KERNEL):
        """A record of the kernel log; another facility is a program's."""
        self.seq += 1
        usec = int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)
        record = f"{facility * 8 + level},{self.seq},{usec},-;{text}\n".encode()
        with open(self.kmsg, "ab") as file:
            file.write(record)
        if self.pipe_fd is not None:
            os.write(self.pipe_fd, record)

    def break_gpu(self, how):
        """how: a word of stub_nvml.c, such as lost or remap."""
        (self.folder / "ill").write_text(how)

    def lose_gpu_on_bus(self, addr=ILL_GPU + ".0"):
        self.put(f"bus/pci/devices/{addr}/config", "\xff\xff\xff\xff")

    def count_fatal_aer(self, addr=ILL_GPU + ".0"):
        self.put(f"bus/pci/devices/{addr}/aer_dev_fatal", "Undefined 0\nSDES 1\nTOTAL_ERR_FATAL 1\n")

    def lose_efa(self, name="rdmap16s27"):
        shutil.rmtree(self.sys / "class/infiniband" / name, ignore_errors=True)

    def for_good(self, function, *arguments):
        """Breaks now and again after each boot of this host."""
        self.sticky.append((function, arguments))
        function(*arguments)

    def resets(self):
        """How often its GPUs were reset."""
        file = self.folder / "resets"
        return len(file.read_text().split()) if file.exists() else 0


def build_stub(folder):
    """Our own library in NVML's place, loaded by path."""
    source = Path(__file__).resolve().parents[1] / "unit" / "watch" / "stub_nvml.c"
    library = folder / "stub_nvml.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library
