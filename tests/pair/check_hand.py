"""rc-controller-helper by hand: packets to a host that is off are refused by a command, and the
command gets an address or nothing."""
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
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
