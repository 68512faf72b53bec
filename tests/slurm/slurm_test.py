"""The Slurm room against a real slurmctld: see run.sh. One line a check."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import helper_io
from slurm_world import CONF, WORLD, World, sh

HELPER = os.environ["RC_BIN"] + "/rc-slurm-helper"
PROBE = os.environ["RC_TEST_BUILD"] + "/tests/slurm_probe"
DRAIN_BARE = os.environ["RC_TEST_BUILD"] + "/tests/drain_bare"
FAKE = 750


class Probe:
    """The Slurm client (slurm_probe) with its lines collected by a thread."""

    def __init__(self, poll_ms=500):
        self.proc = subprocess.Popen([PROBE, HELPER, str(poll_ms), str(CONF)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=self.pump, daemon=True).start()

    def pump(self):
        for line in self.proc.stdout:
            self.lines.put(line.rstrip("\n"))

    def say(self, line):
        self.proc.stdin.write(line + "\n")

    def expect(self, pattern, seconds=20):
        """The match of the next line that fits; the ones before it are dropped."""
        end, seen = time.monotonic() + seconds, []
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"waited for {pattern!r}, saw {seen[-8:]}") from None
            found = re.search(pattern, line)
            if found:
                return found
            seen.append(line)

    def stats(self):
        self.say("stats")
        text = self.expect(r"^stats (.*)").group(1)
        return dict(word.split("=", 1) for word in text.split(" "))

    def close(self):
        self.proc.stdin.close()
        assert self.proc.wait(20) == 0


def reason_of(node):
    """Reason and, apart, who set it when."""
    text = World.node(node)["Reason"]
    found = re.match(r"(.*) \[(.*)\]$", text)
    return found.groups() if found else ("", "")


def update(node, **fields):
    sh("scontrol", "update", f"nodename={node}", *(f"{k}={v}" for k, v in fields.items()))


def expect_error(helper, code, verb, **fields):
    try:
        helper.ask(verb, **fields)
    except helper_io.HelperError as e:
        assert e.code == code, str(e)
        return e
    raise AssertionError(f"{verb} went well, {code} was expected")


class Checks:
    """Each check_* is one test; they run in the order of this file."""

    def __init__(self, world):
        self.world = world
        self.reader = helper_io.Helper(HELPER, "reader", "--conf", str(CONF))
        self.writer = helper_io.Helper(HELPER, "writer", "--conf", str(CONF))

    def close(self):
        assert self.reader.close() == 0 and self.writer.close() == 0

    def check_the_helper_shows_every_node_and_unchanged_after_that(self):
        time.sleep(1.1)
        rows, ok = self.reader.ask("nodes", since=0)
        names = {r["name"]: r for _, r in rows}
        assert len(names) == FAKE + 3 == int(ok["count"])
        assert names["n1"]["addr"] == "10.213.1.2" and names["n1"]["partition"] == "q"
        assert int(names["n1"]["slurmd_start"]) > 0 and names["f1"]["flags"] == "unknown"
        rows, ok = self.reader.ask("nodes", since=ok["time"])
        assert not rows and ok["unchanged"] == "1"

    def check_ping_and_config_tell_of_the_controller(self):
        rows, ok = self.reader.ask("ping")
        assert ok["primary"] == "0" and rows[0][1] == {"index": "0", "host": "ctl", "up": "1"}
        config = self.reader.ask("config")[1]
        assert config["cluster"] == "rc" and config["slurm_uid"] == "0"
        assert config["version"] == self.reader.hello["slurm"]

    def check_a_drain_that_lost_its_reason_is_undone(self):
        """As after a slurmctld that was killed between the drain and its reason. Before any node had
        one: 24.11 keeps it."""
        sh(DRAIN_BARE, "n1")
        assert "DRAIN" in World.node("n1")["State"] and not reason_of("n1")[0]
        assert self.writer.rows("resume", names="n1")[0]["result"] == "resumed"
        assert "DRAIN" not in World.node("n1")["State"]

    def check_a_drain_is_accepted_first_and_then_marked(self):
        rows, _ = self.writer.ask("drain", names="n1", reason="rc:5 retirement i-1")
        assert [kind for kind, _ in rows] == ["accepted", "node"]
        assert rows[1][1] == {"name": "n1", "result": "drained", "reason": "rc:5 retirement i-1"}
        assert "DRAIN" in World.node("n1")["State"]
        assert reason_of("n1")[0] == "rc:5 retirement i-1"

    def check_a_second_drain_of_ours_replaces_the_first(self):
        self.writer.ask("drain", names="n1", reason="rc:6 instance-gone")
        assert reason_of("n1")[0] == "rc:6 instance-gone"

    def check_a_foreign_reason_and_its_time_survive_our_drain(self):
        update("n2", state="drain", reason="do not touch, debugging")
        before = reason_of("n2")
        time.sleep(1.1)
        for verb in ("drain", "down"):
            row = self.writer.rows(verb, names="n2", reason="rc:7 retirement")[0]
            assert row == {"name": "n2", "result": "foreign", "reason": "do not touch, debugging"}
            assert reason_of("n2") == before
        assert "DOWN" in World.node("n2")["State"]

    def check_only_our_drain_is_undone(self):
        self.writer.ask("drain", names="n1", reason="rc:6 instance-gone")
        update("n2", state="drain", reason="do not touch, debugging")
        rows = self.writer.rows("resume", names="n1,n2,n9")
        assert [r["result"] for r in rows] == ["resumed", "foreign", "missing"]
        assert "DRAIN" in World.node("n2")["State"] and reason_of("n2")[0] == "do not touch, debugging"
        # 24.11 keeps the reason of a node that was resumed.
        assert "DRAIN" not in World.node("n1")["State"] and reason_of("n1")[0] in ("", "rc:6 instance-gone")

    def check_resuming_twice_is_no_error(self):
        assert self.writer.rows("resume", names="n1")[0]["result"] == "not-drained"

    def check_a_reason_without_a_drain_is_not_undone(self):
        update("n2", state="resume")
        update("n2", state="drain", reason="x")
        update("n2", state="resume")
        assert self.writer.rows("resume", names="n2")[0]["result"] == "not-drained"

    def check_slurmctlds_own_reason_gives_way_to_ours(self):
        update("n2", state="down", reason="Not responding")
        row = self.writer.rows("drain", names="n2", reason="rc:8 node-down")[0]
        assert row["result"] == "drained" and reason_of("n2")[0] == "rc:8 node-down"
        assert self.writer.rows("resume", names="n2")[0]["result"] == "resumed"
        self.world.wait(lambda: World.node("n2")["State"].startswith("IDLE"), "n2 is back")

    def check_down_with_our_reason_is_undone_by_resume(self):
        assert self.writer.rows("down", names="n1", reason="rc:9 instance-gone")[0]["result"] == "drained"
        assert World.node("n1")["State"].startswith("DOWN")
        assert self.writer.rows("resume", names="n1")[0]["result"] == "resumed"
        self.world.wait(lambda: World.node("n1")["State"].startswith("IDLE"), "n1 is back")

    def check_a_node_with_too_little_memory_is_told_and_not_resumed(self):
        flags = {r["name"]: r["flags"] for r in self.reader.rows("node", names="n3")}
        assert "invalid_reg" in flags["n3"], flags
        assert self.writer.rows("drain", names="n3", reason="rc:10 node-down")[0]["result"] == "drained"
        assert self.writer.rows("resume", names="n3")[0]["result"] == "invalid-reg"

    def check_one_unknown_name_does_not_stop_the_others(self):
        rows = self.writer.rows("drain", names="n1,zz1,n2", reason="rc:11+1 retirement")
        assert [r["result"] for r in rows] == ["drained", "drained", "missing"]
        self.writer.rows("resume", names="n[1-2]")

    def check_bad_requests_are_refused_with_a_reason(self):
        expect_error(self.writer, "invalid-request", "drain", names="n1", reason="no marker")
        expect_error(self.writer, "invalid-request", "drain", reason="rc:1 x")
        expect_error(self.writer, "invalid-request", "drain", names="n[1-9999999]", reason="rc:1 x")
        expect_error(self.writer, "invalid-request", "jobs-signal", node="n1", signal=0)
        expect_error(self.writer, "invalid-request", "takeover", index=0)
        expect_error(self.writer, "invalid-request", "nodes")
        assert expect_error(self.writer, "slurm-unreachable", "takeover", index=1).errno != "0"
        assert World.node("n1")["State"].startswith("IDLE")

    def check_node_rows_name_the_jobs_with_the_largest_first(self):
        wrap = ["-o", "/dev/null", "--wrap", "sleep 300"]
        small = sh("sbatch", "--parsable", "-w", "n1", "--oversubscribe", *wrap).strip()
        gang = sh("sbatch", "--parsable", "-w", "n1,n2", "-N", "2", "--oversubscribe", *wrap).strip()
        running = lambda: sum(r["state"] == "RUNNING" for r in self.reader.rows("jobs"))
        self.world.wait(lambda: running() == 2, "both jobs run")
        rows, ok = self.reader.ask("nodes", since=0)
        names = {r["name"]: r for _, r in rows}
        assert ok["jobs"] == "2", ok
        assert names["n1"]["jobs"] == "2" and names["n1"]["job"] == f"{gang}:2,{small}:1", names["n1"]
        assert names["n2"]["jobs"] == "1" and names["n2"]["job"] == f"{gang}:2"
        assert names["f1"]["jobs"] == "0" and names["f1"]["job"] == ""
        assert self.reader.rows("node", names="n2")[0]["job"] == f"{gang}:2"
        sh("scancel", small, gang)
        self.world.wait(lambda: not self.reader.rows("jobs"), "the jobs end")
        assert self.reader.ask("nodes", since=0)[1]["jobs"] == "0"

    def check_signals_reach_the_batch_script_and_its_steps(self):
        script = WORLD / "trap.sh"
        script.write_text(
            f"""#!/bin/bash
trap 'echo batch >>{WORLD}/signals' USR1
echo up >>{WORLD}/signals
for i in $(seq 600); do sleep 0.1; done
""")
        job = sh("sbatch", "--parsable", "-w", "n1", "-o", "/dev/null", str(script)).strip()
        signals = WORLD / "signals"
        self.world.wait(lambda: signals.exists() and "up" in signals.read_text(), "the job traps")
        rows, ok = self.reader.ask("jobs", node="n1")
        assert ok["count"] == "1" and rows[0][1]["id"] == job and rows[0][1]["state"] == "RUNNING"
        assert rows[0][1]["batch"] == "1" and rows[0][1]["requeue"] == "1"
        assert "allocated" in self.reader.rows("node", names="n1")[0]["flags"]
        assert self.writer.rows("jobs-signal", node="n1", signal=10) == [
            {"id": job, "result": "done", "text": ""}]
        self.world.wait(lambda: "batch" in signals.read_text(), "the trap runs")
        sh("scancel", job)
        self.world.wait(lambda: not self.reader.rows("jobs", node="n1"), "the job ends")

    def check_requeue_leaves_jobs_alone_that_do_not_want_it(self):
        sleep = ["-w", "n1", "--oversubscribe", "-o", "/dev/null", "--wrap", "sleep 300"]
        yes = sh("sbatch", "--parsable", *sleep).strip()
        no = sh("sbatch", "--parsable", "--no-requeue", *sleep).strip()
        running = lambda: sum(r["state"] == "RUNNING" for r in self.reader.rows("jobs", node="n1"))
        self.world.wait(lambda: running() == 2, "both jobs run")
        rows = {r["id"]: r for r in self.writer.rows("jobs-requeue", node="n1")}
        assert rows[yes]["result"] == "done", rows
        assert rows[no]["result"] == "not-requeueable" and "Requeue=0" in rows[no]["text"]
        assert "Restarts=1" in sh("scontrol", "show", "job", yes)
        assert "JobState=RUNNING" in sh("scontrol", "show", "job", no)
        sh("scancel", yes, no)
        self.world.wait(lambda: not self.reader.rows("jobs"), "the jobs end")

    def check_a_requeued_job_is_kept_from_the_node_and_let_back_later(self):
        job = sh("sbatch", "--parsable", "-w", "n1", "--exclude=n2", "-o", "/dev/null", "--wrap",
                 "sleep 300").strip()
        field = lambda name: next((word.split("=", 1)[1] for word in sh(
            "scontrol", "-o", "show", "job", job).split(" ") if word.startswith(name + "=")), "")
        self.world.wait(lambda: field("JobState") == "RUNNING", "the job runs")
        sh("scontrol", "update", f"jobid={job}", "admincomment=of Ann")
        rows = self.writer.rows("jobs-requeue", node="n1", exclude=1)
        assert rows[0]["result"] == "done" and not rows[0].get("text"), rows
        assert set(field("ExcNodeList").replace("n[1-2]", "n1,n2").split(",")) == {"n1", "n2"}
        assert "AdminComment=of Ann rc-exclude:n1" in sh("scontrol", "-o", "show", "job", job)
        # What its owner excluded is a sign against the node; what we excluded is none.
        names = {row["name"]: row for row in self.reader.rows("nodes", since=0)}
        assert names["n2"]["excluders"] == job and names["n1"]["excluders"] == "", names
        self.writer.ask("jobs-include", node="n2")  # its owner's exclusion
        assert "n2" in field("ExcNodeList").replace("n[1-2]", "n1,n2")
        self.world.wait(lambda: field("JobState") == "PENDING", "the job waits")
        ok = self.writer.ask("jobs-include", node="n1")
        assert field("ExcNodeList") == "n2", sh("scontrol", "-o", "show", "job", job)
        assert "AdminComment=of Ann " in sh("scontrol", "-o", "show", "job", job)
        sh("scancel", job)
        self.world.wait(lambda: not self.reader.rows("jobs"), "the job ends")

    def check_a_held_job_starts_no_more_and_a_running_one_runs_on(self):
        job = sh("sbatch", "--parsable", "-w", "n1", "-o", "/dev/null", "--wrap", "sleep 300").strip()
        self.world.wait(lambda: self.reader.rows("jobs", node="n1"), "the job runs")
        self.writer.ask("job-hold", job=job)
        shown = sh("scontrol", "-o", "show", "job", job)
        assert "JobState=RUNNING" in shown and "Requeue=0" in shown, shown
        waits = sh("sbatch", "--parsable", "-w", "n1", "--exclusive", "-o", "/dev/null", "--wrap", "true").strip()
        self.writer.ask("job-hold", job=waits)
        assert "Priority=0" in sh("scontrol", "-o", "show", "job", waits)
        sh("scancel", job, waits)
        self.world.wait(lambda: not self.reader.rows("jobs"), "the jobs end")

    def check_a_job_that_backfill_started_is_written_down_when_asked(self):
        job = sh("sbatch", "--parsable", "-w", "n1", "--begin=now+2", "-o", "/dev/null", "--wrap", "sleep 300").strip()
        self.world.wait(lambda: self.reader.rows("jobs", node="n1"), "backfill starts the job", 60)
        time.sleep(8)  # whatever else had slurmctld save its jobs
        state = WORLD / "state/job_state"
        before, shown = state.stat().st_mtime_ns, sh("scontrol", "-o", "show", "job", job)
        self.writer.ask("job-save", job=job)
        self.world.wait(lambda: state.stat().st_mtime_ns != before, "slurmctld saves its jobs", 15)
        took_out = re.compile(r"(RunTime|LastSchedEval)=\S+")
        assert took_out.sub("", sh("scontrol", "-o", "show", "job", job)) == took_out.sub("", shown)
        sh("scancel", job)
        self.world.wait(lambda: not self.reader.rows("jobs"), "the job ends")
        expect_error(self.writer, "not-found", "job-save", job=999999)
        expect_error(self.writer, "invalid-request", "job-save", job="x")

    def check_a_drain_beside_a_running_job_leaves_it_alone(self):
        job = sh("sbatch", "--parsable", "-w", "n2", "-o", "/dev/null", "--wrap", "sleep 300").strip()
        self.world.wait(lambda: self.reader.rows("jobs", node="n2"), "the job runs")
        self.writer.ask("drain", names="n2", reason="rc:12 retirement")
        flags = self.reader.rows("node", names="n2")[0]["flags"].split(",")
        assert "drain" in flags and "allocated" in flags
        assert "JobState=RUNNING" in sh("scontrol", "show", "job", job)
        sh("scancel", job)
        self.world.wait(lambda: self.reader.rows("node", names="n2")[0]["flags"] == "drain", "n2 is idle")
        self.writer.ask("resume", names="n2")

    def check_reconfigure_keeps_our_drain(self):
        self.writer.ask("drain", names="n1", reason="rc:13 retirement")
        self.writer.ask("reconfigure")
        self.world.wait(lambda: "UP" in sh("scontrol", "ping"), "slurmctld answers")
        assert self.writer.rows("resume", names="n1")[0]["result"] == "resumed"

    def check_the_client_sees_its_own_drain_at_once(self):
        probe = Probe(poll_ms=60000)
        probe.say("start")
        probe.expect(rf"^sweep complete=1 .*seen={FAKE + 3}")
        probe.say("drain n1 rc:14 retirement")
        probe.expect(r"^accepted n1 err=ok")
        probe.expect(r"^done n1 err=ok")
        probe.expect(r"^node n1 flags=\S*drain\S* owner=2 incident=14 .*reason=rc:14 retirement", 2)
        probe.say("resume n1")
        probe.expect(r"^done n1 err=ok")
        probe.expect(r"^node n1 flags=\S* owner=1 incident=0", 2)
        probe.close()

    def check_a_foreign_reason_that_was_left_over_gives_way(self):
        self.world.wait(lambda: World.node("n2")["State"] == "IDLE", "n2 is in service")
        update("n2", state="drain", reason="operator, done by now")
        update("n2", state="resume")
        probe = Probe(poll_ms=60000)
        probe.say("start")
        probe.expect(r"^sweep complete=1")
        probe.say("drain n2 rc:19 retirement")
        probe.expect(r"^done n2 err=ok")
        assert reason_of("n2")[0] == "rc:19 retirement"
        probe.say("resume n2")
        probe.expect(r"^done n2 err=ok")
        # Between our read and our drain somebody else drained it: theirs stays.
        probe.expect(r"^node n2 flags=\S* owner=1")
        update("n2", state="drain", reason="operator, again")
        probe.say("drain n2 rc:19 retirement")
        probe.expect(r"^done n2 err=foreign-owner .*text=operator, again")
        assert reason_of("n2")[0] == "operator, again"
        update("n2", state="resume")
        probe.close()

    def check_750_nodes_are_drained_as_one_update_in_time(self):
        probe = Probe(poll_ms=60000)
        probe.say("resume n1")
        probe.expect("^done n1 err=ok")
        probe.say(f"drain f:1-{FAKE} rc:20 instance-gone")
        for _ in range(FAKE):
            done = probe.expect(r"^done f\d+ err=(\S+) batch=(\d+) .* ms=([\d.]+)")
            assert done.group(1) == "ok" and done.group(2) == str(FAKE)
        print(f"# {FAKE} nodes accepted and marked in {done.group(3)} ms")
        assert float(done.group(3)) < 1000
        assert probe.stats()["updates"] == "2"
        assert reason_of(f"f{FAKE}")[0] == "rc:20 instance-gone"
        probe.say(f"resume f:1-{FAKE}")
        for _ in range(FAKE):
            probe.expect(r"^done f\d+ err=ok")
        probe.close()

    def check_a_killed_helper_is_started_again(self):
        probe = Probe(poll_ms=300)
        probe.say("start")
        probe.expect(r"^sweep complete=1")
        stats = probe.stats()
        for role in ("reader", "writer"):
            os.kill(int(stats[f"{role}_pid"]), signal.SIGKILL)
            probe.expect(rf"^log slurm {role}: killed by signal 9")
            probe.expect(rf"^log slurm {role} is up")
        probe.expect(r"^sweep complete=1")
        probe.say("drain n1 rc:15 retirement")
        probe.expect(r"^done n1 err=ok")
        probe.say("resume n1")
        probe.expect(r"^done n1 err=ok")
        assert probe.stats()["reader_starts"] == "2"
        probe.close()

    def check_slurmctld_down_is_told_and_made_good(self):
        probe = Probe(poll_ms=300)
        probe.say("start")
        probe.expect(r"^sweep complete=1")
        self.world.stop_slurmctld()
        probe.expect(r"^sweep complete=0 error=slurm-unreachable", 30)
        probe.say("drain n1 rc:16 retirement")
        probe.expect(r"^done n1 err=slurm-unreachable .*code=1800", 30)
        assert self.reader.ask("ping")[1]["primary"] == "-"
        self.world.start_slurmctld()
        probe.expect(r"^sweep complete=1", 30)
        probe.say("drain n1 rc:16 retirement")
        probe.expect(r"^done n1 err=ok")
        probe.expect(r"^node n1 flags=.*drain.* incident=16")
        probe.close()

    def check_our_drain_survives_a_restart_of_slurmctld(self):
        self.writer.ask("drain", names="n1", reason="rc:16 retirement")
        self.world.stop_slurmctld()
        self.world.start_slurmctld()
        assert reason_of("n1")[0] == "rc:16 retirement"
        assert self.writer.rows("resume", names="n1")[0]["result"] == "resumed"

    def check_a_hung_slurmctld_is_told_in_time_and_made_good(self):
        probe = Probe(poll_ms=300)
        probe.say("start")
        probe.expect(r"^sweep complete=1")
        self.world.signal_slurmctld(signal.SIGSTOP)
        try:
            began = time.monotonic()
            probe.say("drain n2 rc:17 retirement")
            probe.expect(r"^done n2 err=timeout", 30)
            probe.expect(r"^sweep complete=0 error=timeout", 30)
            assert time.monotonic() - began < 30
        finally:
            self.world.signal_slurmctld(signal.SIGCONT)
        probe.expect(r"^sweep complete=1", 30)
        probe.say("drain n2 rc:17 retirement")
        probe.expect(r"^done n2 err=ok")
        probe.say("resume n2")
        probe.expect(r"^done n2 err=ok")
        probe.close()

    def check_munged_down_is_told_and_made_good(self):
        self.world.stop_munged()
        try:
            expect_error(self.reader, "slurm-unreachable", "nodes", since=0)
            expect_error(self.writer, "slurm-unreachable", "drain", names="n1", reason="rc:18 x")
        finally:
            self.world.start_munged()
        assert self.reader.ask("nodes", since=0)[1]["count"] == str(FAKE + 3)

    def check_a_missing_slurm_conf_ends_the_helper_with_a_message(self):
        empty = WORLD / "empty.conf"
        empty.write_text("")
        for path, words in ((WORLD / "none.conf", "No such file"), (empty, "content"), (WORLD, "content")):
            began = time.monotonic()
            try:
                helper_io.Helper(HELPER, "reader", "--conf", str(path))
                raise AssertionError("the helper came up")
            except helper_io.Died as e:
                assert words in str(e) and str(path) in str(e), str(e)
            assert time.monotonic() - began < 2

    def check_a_configless_node_has_the_slurm_conf_that_slurmd_fetched(self):
        own, fetched = Path("/etc/slurm"), Path("/run/slurm/conf")
        fetched.mkdir(parents=True, exist_ok=True)
        (fetched / "slurm.conf").symlink_to(CONF)
        covered = own.is_dir()  # in this world only
        if covered:
            sh("mount", "-t", "tmpfs", "none", str(own))
        try:
            # The world says SLURM_CONF, a unit does not.
            helper = helper_io.Helper("env", "writer", before=("-u", "SLURM_CONF", HELPER))
            helper.ask("drain", names="n1", reason="rc:19 retirement")
            assert helper.close() == 0
        finally:
            (fetched / "slurm.conf").unlink()
            if covered:
                sh("umount", str(own))
        assert reason_of("n1")[0] == "rc:19 retirement"
        assert self.writer.rows("resume", names="n1")[0]["result"] == "resumed"

    def check_a_bad_slurm_conf_ends_the_helper_and_not_the_client(self):
        good = CONF.read_text()
        probe = Probe(poll_ms=300)
        probe.say("start")
        probe.expect(r"^sweep complete=1")
        CONF.write_text("ClusterName=rc\nNonsense==\n")
        os.kill(int(probe.stats()["reader_pid"]), signal.SIGKILL)
        probe.expect(r"^log slurm reader: exited with 1", 70)
        CONF.write_text(good)
        probe.expect(r"^sweep complete=1", 70)
        probe.close()


def main():
    world = World(live=3, fake=FAKE, conf={"MessageTimeout": "3", "SchedulerParameters": "bf_interval=2,sched_interval=3600"},
                  nodes={3: "RealMemory=99000000"})
    checks = Checks(world)
    only = sys.argv[1:]
    failed = 0
    for name in [n for n in vars(Checks) if n.startswith("check_")]:
        if only and not any(word in name for word in only):
            continue
        words = name.removeprefix("check_").replace("_", " ")
        began = time.monotonic()
        try:
            getattr(checks, name)()
            print(f"ok - slurm: {words}", flush=True)
        except Exception:  # any failure is a failed check; the next ones still run
            failed += 1
            print(f"not ok - slurm: {words}", flush=True)
            print("".join(f"#   {line}\n" for line in traceback.format_exc().splitlines()), flush=True)
        if os.environ.get("RC_TIMES"):
            print(f"# {time.monotonic() - began:.1f} s", flush=True)
    checks.close()
    sys.exit(1 if failed else 0)


main()
