"""reconcilerd as the demo runs it: its files, its process, its log."""
import json
import os
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

from simulator.demo import policy

START_S = 15.0
STOP_S = 10.0


class DaemonFailed(Exception):
    """The daemon did not start, or ended by itself."""


class Daemon:
    """folder gets everything that --keep leaves: configuration, policy, logs, journal."""

    def __init__(self, folder, backend):
        self.folder, self.backend = folder, backend
        self.process = None
        self.log = folder / "reconcilerd.log"
        self.log_offset, self.partial = 0, b""

    def write_files(self):
        for name in ("journal", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        policy.write(self.folder / "policy.json", ssh=self.backend.has_ssh)
        config = self.backend.config()
        config.update({
            "policy": str(self.folder / "policy.json"),
            "state_dir": str(self.folder / "state"),
            "journal": {"dir": str(self.folder / "journal")},
            "lease": {"path": str(self.folder / "state" / "lease.json")},
            "incidents": {"path": str(self.folder / "state" / "incidents")},
            # Often enough that what no message tells is seen within the demo.
            "poll": {"instances": "5s", "status": "2s", "slurm": "1s", "slurm_open": "500ms"},
            "control": {"socket": str(self.folder / "control.sock"), "mode": "0600"},
            "metrics": {"listen": ""},
            "log": {"file": str(self.log), "level": "info"}})
        config["queue"]["quarantine"] = str(self.folder / "quarantine.jsonl")
        (self.folder / "reconcilerd.json").write_text(json.dumps(config, indent=2) + "\n",
                                                      encoding="utf-8")

    def start(self):
        self.write_files()
        program = Path(os.environ.get("RC_BIN", "build/bin")) / "reconcilerd"
        with open(self.folder / "reconcilerd.err", "ab") as err:
            self.process = self.backend.spawn(
                [program.absolute(), "--config", self.folder / "reconcilerd.json"],
                env={**os.environ, **self.backend.env()}, stdout=err, stderr=err)
        end = time.monotonic() + START_S
        while not (self.folder / "control.sock").exists():
            self.check()
            if time.monotonic() > end:
                raise DaemonFailed(f"reconcilerd is not ready after {START_S:.0f} s\n{self.words()}")
            time.sleep(0.05)

    def check(self):
        if self.process.poll() is not None:
            raise DaemonFailed(f"reconcilerd ended with status {self.process.returncode}\n"
                               f"{self.words()}")

    def words(self):
        """The end of what it said, for a person who looks for the cause."""
        said = []
        for path in (self.folder / "reconcilerd.err", self.log):
            if path.exists():
                said += path.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return "\n".join(said)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def set_aside(self):
        """The queue's ids of the messages that nobody can read; a kill -9 may bring one again."""
        path = self.folder / "quarantine.jsonl"
        text = path.read_bytes() if path.exists() else b""
        rows = [json.loads(line) for line in text.split(b"\n")[:-1]]
        return {row["message_id"] for row in rows if "message_id" in row}

    def new_lines(self):
        """Log lines since the last call, as (Unix ms, object)."""
        if not self.log.exists():
            return
        with open(self.log, "rb") as log:
            log.seek(self.log_offset)
            data = log.read()
        self.log_offset += len(data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        for line in lines:
            try:
                row = json.loads(line)
                yield unix_ms(row["time"]), row
            except (ValueError, KeyError, TypeError):
                continue  # not one of its own lines


def unix_ms(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
