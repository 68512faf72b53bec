"""Faults of nodes in the real world: kernel lines, hardware that changes, a file system that hangs.

Each strikes the victim (or all nodes), and where it drains, a node that an operator has drained
already has the same fault: its drain must be left alone.
"""
import subprocess
import sys

from tests.real.hardware import ILL_GPU

FOREIGN_NODE, FOREIGN_REASON = "gpu-3", "disk swap, ask Ann"
SHARED = "/run/shared"

# In the instance's own mounts: a FUSE file system whose server never answers, until SIGTERM takes
# it away.
HANG = f"""
import ctypes, os, signal
os.makedirs({SHARED!r}, exist_ok=True)
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={{fd}},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"fileserver:/shared", {SHARED!r}.encode(), b"fuse.stuck", 0, options):
    raise OSError(ctypes.get_errno(), "mount")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("hangs", flush=True)
signal.sigwait([signal.SIGTERM])
os.close(fd)
libc.umount2({SHARED!r}.encode(), 2)
"""


class NodeFaults:
    """What happens, as the words of the time-line."""

    def __init__(self, world):
        self.world = world
        self.servers = []  # of file systems that hang

    def close(self):
        for server in self.servers:
            server.terminate()
            server.wait(10)
        self.servers = []

    def nodes(self):
        return sorted(self.world.seeded)

    def hardware(self, node):
        return self.world.machine(node).hardware

    def also_foreign(self, act):
        act(self.hardware(FOREIGN_NODE))

    def foreign_drain(self):
        self.world.slurm.command("scontrol", "update", f"nodename={FOREIGN_NODE}", "state=drain",
                                 f"reason={FOREIGN_REASON}")

    # --- the faults ---------------------------------------------------------------

    def do_xid79(self, node):
        """Heals with a reboot, as most do."""
        def lose(hardware):
            hardware.break_gpu("lost")
            hardware.lose_gpu_on_bus()
            hardware.say(f"NVRM: Xid (PCI:{ILL_GPU}): 79, GPU has fallen off the bus.")
        self.also_foreign(lose)
        lose(self.hardware(node))
        return f"Xid 79: a GPU of {node} has fallen off the bus"

    def do_aer_fatal(self, node):
        """The host is bad for good: a reboot does not help, and the gate must see it."""
        def fail(hardware):
            hardware.say("pcieport 0000:a0:00.0: AER: Uncorrected (Fatal) error received: "
                         f"{ILL_GPU}.0")
            hardware.say(f"nvidia {ILL_GPU}.0: AER: can't recover (no error_detected callback)")
            hardware.say("pcieport 0000:a0:00.0: AER: device recovery failed")
        hardware = self.hardware(node)
        for what, arguments in ((hardware.count_fatal_aer, ()), (hardware.lose_gpu_on_bus, ()),
                                (hardware.break_gpu, ("lost",))):
            hardware.for_good(what, *arguments)
        self.also_foreign(fail)
        fail(hardware)
        return f"a fatal PCIe error on {node}; its host is bad for good"

    def do_efa_down(self, node):
        def lose(hardware):
            hardware.lose_efa()
            hardware.say("efa 0000:10:1b.0 rdmap16s27: The device didn't send any completion for "
                         "admin cmd CREATE_QP(1) status 0 (id: 5, sq producer: 5, sq consumer: 4, "
                         "cq consumer: 4)")
        self.also_foreign(lose)
        lose(self.hardware(node))
        return f"an EFA device of {node} answers no more and is gone"

    def do_row_remap(self, node):
        def remap(hardware):
            hardware.break_gpu("remap")
            hardware.say(f"NVRM: Xid (PCI:{ILL_GPU}): 63, pid='<unknown>', name=<unknown>, Row "
                         "Remapper: New row (0x0000000018f31d80) marked for remapping, reset gpu to "
                         "activate.")
        self.also_foreign(remap)
        remap(self.hardware(node))
        return f"a row of a GPU's memory on {node} waits for a reset to be remapped"

    def do_fs_hang(self, _node):
        """The file server of all of them stops answering."""
        for node in self.nodes():
            server = self.world.lifeline.spawn(
                ["nsenter", f"--target={self.world.machine(node).init.pid}", "--mount",
                 sys.executable, "-c", HANG], stdout=subprocess.PIPE, text=True)
            self.servers.append(server)
            if server.stdout.readline().strip() != "hangs":
                raise RuntimeError(f"no hanging file system on {node}")
        for node in self.nodes():
            self.hardware(node).say("nfs: server fileserver not responding, still trying")
        return f"the file server of {', '.join(self.nodes())} stops answering"

    def fs_answers_again(self):
        self.close()
        for node in self.nodes():
            self.hardware(node).say("nfs: server fileserver OK", level=6)

    def do_job_storm(self, _node):
        for node in self.nodes():
            for _ in range(3):
                self.hardware(node).say(
                    f"NVRM: Xid (PCI:{ILL_GPU}): 31, Ch 00000008, intr 00000000. MMU Fault: ENGINE "
                    "GRAPHICS GPCCLIENT_T1_10 faulted @ 0x7fd7_90743000. Fault is of type FAULT_PDE")
        return f"the job faults on {', '.join(self.nodes())} at once: Xid 31"

    # --- what shows ---------------------------------------------------------------

    def boots(self, node):
        return self.world.machine(node).boots

    def resets(self, node):
        return self.hardware(node).resets()

    def extra(self, node):
        out = self.world.slurm.command("scontrol", "show", "node", node).stdout
        return next((line.strip()[6:] for line in out.splitlines()
                     if line.strip().startswith("Extra=")), "")

    def job_field(self, job, name):
        out = self.world.slurm.command("scontrol", "-o", "show", "job", job, check=False).stdout
        return next((word.split("=", 1)[1] for word in out.split(" ")
                     if word.startswith(f"{name}=")), "")
