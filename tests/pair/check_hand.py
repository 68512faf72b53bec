"""rc-controller-helper by hand: packets to a host that is off are refused by a command, and the
command gets an address or nothing; a fence proves nothing while a start may be under way."""
import os
import subprocess
import tempfile
from pathlib import Path

HELPER = Path(os.environ.get("RC_BIN", "build/bin")) / "rc-controller-helper"


def ask(folder, command, addr):
    """The helper's answer to one request."""
    done = subprocess.run(
        [HELPER, "--state-dir", folder, "--mark", f"{folder}/mark", "--allow", f"{folder}/allow",
         "--reject", command], input=f"1 reject addr={addr}\n", capture_output=True, text=True,
        check=False, timeout=20)
    return done.stdout.splitlines()[-1]


def fence(folder, state, planted=""):
    """The helper's answer in a PID namespace of its own, for it ends every slurmctld that it sees;
    planted: the name of a process there. Also whether that one is left."""
    script = ('[ -z "$2" ] || { python3 -c \'import sys, time\n'
              'open("/proc/self/comm", "w").write(sys.argv[1])\ntime.sleep(60)\' "$2" & }\n'
              'sleep 0.3\n'
              '"$0" --state-dir "$1" --mark "$1/mark" --allow "$1/allow" --start true --state "$3"\n'
              'cat /proc/[0-9]*/comm')
    done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
                           script, HELPER, folder, planted, state],
                          input="1 fence grace=0\n", capture_output=True, text=True, check=False,
                          timeout=30)
    lines = done.stdout.splitlines()
    return next((line for line in lines if line.startswith("1 ")), done.stderr), planted in lines


def unit(folder, *answers):
    """A command that answers like systemctl show: one after the other, then the last one."""
    script = Path(folder) / "unit"
    cases = "".join(f"{i + 1}) echo ActiveState={a}; echo SubState={s};;\n"
                    for i, (a, s) in enumerate(answers))
    last = "*) echo ActiveState=%s; echo SubState=%s;;" % answers[-1]
    script.write_text(f"#!/bin/sh\necho >> {folder}/asked\n"
                      f"case $(wc -l < {folder}/asked) in\n{cases}{last}\nesac\n")
    script.chmod(0o755)
    (Path(folder) / "asked").unlink(missing_ok=True)
    return str(script)


def check_fence(folder):
    answer, _ = fence(folder, unit(folder, ("activating", "condition"), ("activating", "start"),
                                   ("failed", "failed")))
    asked = len((Path(folder) / "asked").read_text().splitlines())
    failed = told(answer == "1 ok" and asked == 3,
                  "a fence waits until a start that was let in is over", (answer, asked))
    answer, _ = fence(folder, unit(folder, ("activating", "start")))
    failed |= told("code=not-verified" in answer and "under" in answer,
                   "a start that is not over in time is no proof", answer)
    answer, _ = fence(folder, "false")
    failed |= told("code=not-verified" in answer, "a unit that cannot be asked is no proof", answer)
    answer, _ = fence(folder, unit(folder, ("activating", "auto-restart")))
    failed |= told(answer == "1 ok", "a restart that comes goes through admit again", answer)
    answer, left = fence(folder, unit(folder, ("active", "running"), ("inactive", "dead")),
                         "(lurmctld)")
    failed |= told(answer == "1 ok" and not left, "systemd's child is ended before it runs",
                   (answer, left))
    return failed


def told(good, text, more=""):
    print(f"{'ok' if good else 'not ok'} - controller helper: {text}", flush=True)
    if not good:
        print(f"#   {more}")
    return not good


def main():
    with tempfile.TemporaryDirectory() as folder:
        touch = f"touch {folder}/to-%a-end"
        four, six = ask(folder, touch, "10.0.1.5"), ask(folder, touch, "2001:db8::5")
        made = sorted(p.name for p in Path(folder).glob("to-*"))
        failed = told(four == six == "1 ok" and made == ["to-10.0.1.5-end", "to-2001:db8::5-end"],
                      "the command to refuse packets gets the address", (four, six, made))
        wrong = [ask(folder, touch, addr) for addr in ("-h", "head1", "10.0.1.5%20x", "")]
        failed |= told(all("code=invalid" in w for w in wrong) and
                       len(list(Path(folder).glob("to-*"))) == 2,
                       "what is no address is no command", wrong)
        missing = ask(folder, "false %a", "10.0.1.5")
        failed |= told("code=io" in missing, "a command that fails is told", missing)
        if os.geteuid() == 0:
            failed |= check_fence(folder)
        else:
            print("ok - controller helper: fence # SKIP a PID namespace needs root")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
