#!/usr/bin/env python3
"""simulate run and simulate compare as a user calls them: the same bytes twice, on any
number of processes, from another compiler and at another optimisation level; what is said
of bad input; and that a report is whole or not there."""
import html
import html.parser
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIMULATE = pathlib.Path(os.environ["RC_BIN"]) / "simulate"
SMALL = ["--nodes", "200", "--days", "6", "--faults", "bursty-lemon,rate=40"]

failures = 0


def check(good, name, shown=""):
    global failures
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        failures += 1
        print("\n".join("# " + line for line in shown.splitlines()[-30:]), flush=True)


def simulate(*args, program=SIMULATE, cwd=None):
    return subprocess.run([str(program), *args], cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def built(folder, compiler, kind):
    """The simulator built another way. clang's folder is shared with the tidy tests."""
    for command in (["cmake", "-G", "Ninja", "-S", ".", "-B", str(folder), "-DRC_WERROR=ON",
                     f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_BUILD_TYPE={kind}"],
                    ["ninja", "-C", str(folder), "simulate"]):
        done = subprocess.run(command, cwd=ROOT, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            check(False, f"{compiler} builds the simulator ({kind})", done.stdout)
            return None
    return folder / "bin/simulate"


def less_commit(text):
    """A build from changed files says so; all else must be equal."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("commit "))


def other_policy(folder):
    """The shipped policy with a shorter patience, under another name."""
    text = (ROOT / "policies/p4d.json").read_text()
    path = folder / "hasty.json"
    path.write_text(text.replace('"name": "p4d"', '"name": "hasty"')
                    .replace('"timeout": "30m"', '"timeout": "9m"')
                    .replace('"confirm": "3m"', '"confirm": "1m"'))
    return path


def same_bytes(folder):
    policies = ["--policy", "policies/p4d.json", "--policy", str(other_policy(folder))]
    args = ["compare", *SMALL, "--seeds", "3", *policies]
    page, numbers = folder / "a.html", folder / "a.json"
    first = simulate(*args, "--jobs", "1", "--html", str(page), "--json", str(numbers), cwd=ROOT)
    check(first.returncode == 0 and "hasty" in first.stdout and "commit" in first.stdout and
          "too few seeds" in first.stdout and "Of fewer than 5 seeds" in first.stdout and
          "better" not in first.stdout and "worse" not in first.stdout,
          "two policies are compared, and few seeds mark nothing", first.stdout + first.stderr)
    again = simulate(*args, "--jobs", "3", "--html", str(folder / "b.html"), "--json",
                     str(folder / "b.json"), cwd=ROOT)
    check(first.stdout == again.stdout and
          page.read_bytes() == (folder / "b.html").read_bytes() and
          numbers.read_bytes() == (folder / "b.json").read_bytes(),
          "the same call gives the same bytes on any number of processes: text, page, numbers",
          again.stdout + again.stderr)
    run = simulate("run", *SMALL, "--seed", "5", cwd=ROOT)
    for compiler, kind, where in (("gcc", "Debug", "build/debug"),
                                  ("clang", "RelWithDebInfo", "build/clang")):
        if not shutil.which(compiler):
            print(f"ok - {compiler} gives the same bytes # SKIP no {compiler} here")
            continue
        program = built(ROOT / where, compiler, kind)
        if program:
            other = simulate("run", *SMALL, "--seed", "5", program=program, cwd=ROOT)
            both = simulate(*args, program=program, cwd=ROOT)
            check(less_commit(other.stdout) == less_commit(run.stdout) and
                  less_commit(both.stdout) == less_commit(first.stdout),
                  f"{compiler} ({kind}) gives the same bytes", run.stdout + other.stdout)
    return page, numbers


class Page(html.parser.HTMLParser):
    """Counts what must be there, and notes what must not."""

    def __init__(self):
        super().__init__()
        self.plots, self.open, self.outside = 0, [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.plots += tag == "svg" and ("class", "interval") not in attrs
        self.outside += [value for name, value in attrs
                         if name in ("src", "href") or "url(" in (value or "")]
        self.outside += ["<script>"] if tag == "script" else []

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass


def page_is_whole(page, numbers):
    text = page.read_text()
    parsed = Page()
    parsed.feed(text)
    check(text.rstrip().endswith("</html>") and not parsed.open and parsed.plots >= 4,
          "the page is whole and has its plots", str(parsed.open))
    check(not parsed.outside and "http" not in text,
          "the page fetches nothing and runs no script", str(parsed.outside[:3]))
    check("prefers-color-scheme:dark)" in text and "@media print" in text,
          "the page has a dark and a printed form")
    told = json.loads(numbers.read_text())
    runs = told["policies"][0]["runs"]
    check(len(told["policies"]) == 2 and [r["seed"] for r in runs] == [1, 2, 3] and
          told["policies"][0]["hash"] != told["policies"][1]["hash"] and
          0 < runs[0]["ettr"] < 1 and "p_holm" in told["pairs"][0]["ettr"],
          "the numbers can be read by a program", numbers.read_text()[:400])
    marked = [key for key, row in told["pairs"][0].items()
              if isinstance(row, dict) and row["differs"]]
    check(not marked and "Of fewer than 5 seeds nothing is marked" in text and
          "too few seeds to tell." in text, "of three seeds nothing is marked, and the page says why",
          str(marked))


# Says in the title of the page around it what stands out of its card, tables and plots aside.
OUTSIDE = """<script>addEventListener("load", () => {
  const out = [], range = document.createRange();
  for (const card of document.querySelectorAll("section, header.card"))
    for (const part of card.querySelectorAll("*")) {
      range.selectNodeContents(part);
      const right = Math.max(...Array.from(range.getClientRects(), box => box.right));
      if (!part.closest(".scroll, svg") && right > card.getBoundingClientRect().right)
        out.push(part.textContent);
    }
  parent.document.title = "outside: " + out.join("; ") + "."; });</script></body>"""


def page_fits_a_phone(folder):
    if not shutil.which("chromium"):
        print("ok - the page fits a phone # SKIP no chromium here")
        return
    policy = folder / "long.json"
    policy.write_text((ROOT / "policies/p4d.json").read_text()
                      .replace('"name": "p4d"', '"name": "the-policy-of-our-training-nodes"'))
    page, around = folder / "phone.html", folder / "around.html"
    run = simulate("compare", "--policy", str(policy), "--policy", "policies/fast.json", "--nodes",
                   "32", "--days", "2", "--seeds", "2", "--faults", "bursty-lemon,rate=40",
                   "--html", str(page), cwd=ROOT)
    inside = html.escape(page.read_text().replace("</body>", OUTSIDE))
    around.write_text(f'<title></title><iframe width="390" height="900" srcdoc="{inside}"></iframe>')
    shown = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                            f"--user-data-dir={folder}/chromium", "--virtual-time-budget=5000",
                            "--dump-dom", str(around)], text=True, check=False, timeout=300,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    title = shown.stdout.partition("<title>")[2].partition("</title>")[0]
    check(run.returncode == 0 and title == "outside: .", "nothing of the page stands out of its card "
          "on a phone", title + shown.stderr[-400:])


def bad_input(folder):
    broken = folder / "broken.json"
    broken.write_text((ROOT / "policies/p4d.json").read_text().replace('"boot": "15m"',
                                                                       '"boot": "soon"'))
    trace = folder / "trace.json"
    trace.write_text('[{"start": 5, "end": 3}]')
    out = folder / "never.json"
    cases = {
        "a policy that does not load": (["--policy", str(broken)], f"{broken}:"),
        "a policy that is not there": (["--policy", str(broken) + ".gone"], "broken.json.gone"),
        "a fault model that nobody knows": (["--faults", "gamma-rays"], "gamma-rays"),
        "a rate given twice": (["--faults", "exponential,rate=2,rate=2"], "rate is given twice"),
        "a rate out of range": (["--faults", "exponential,rate=-1"], "rate"),
        "a trace with impossible times": (["--faults", f"trace:{trace}"], str(trace)),
        "no nodes": (["--nodes", "0"], "--nodes"),
        "too many days": (["--days", "99999"], "--days"),
        "a duration without unit": (["--checkpoint", "60"], "30s"),
        "a restart that takes days": (["--restart", "1000d"], "--restart 1000d: expected 0s to 1d"),
        "a write of days": (["--write", "1500m"], "--write 25h: expected 0s to 1d"),
        "a person at once": (["--person", "5s"], "--person 5s: expected 1m to 30d"),
        "a world that nobody knows": (["--world", "flat"], "calm, usual or hostile"),
        "a number with a tail": (["--seed", "7x"], "--seed"),
    }
    for name, (args, word) in cases.items():
        run = simulate("run", "--days", "1", *args, "--json", str(out), cwd=ROOT)
        check(run.returncode == 3 and word in run.stderr and not run.stdout and
              not out.exists(), f"{name} is refused with its place, and no report begins",
              run.stdout + run.stderr)
    for args in (["run", "--nonsense"], ["run", "extra"], ["compare", "--policy",
                 "policies/p4d.json"], ["run", "--policy", "policies/p4d.json", "--policy",
                 "policies/p4d.json"], ["run", "--seeds", "4096", "--json", str(out)],
                 ["compare", "--policy", "policies/p4d.json", "--policy", "policies/fast.json",
                  "--seed", "5", "--seeds", "7..9", "--json", str(out)],
                 ["run", "--seeds", "7..7", "--seed", "7", "--json", str(out)],
                 ["compare", "--policy", "policies/p4d.json", "--policy", "policies/fast.json",
                  "--html", str(out), "--json", str(out)]):
        run = simulate(*args, cwd=ROOT)
        check(run.returncode == 2 and not run.stdout and not out.exists(),
              "usage is told for: " + " ".join(args), run.stderr)
    run = simulate("run", *SMALL, "--json", str(folder / "no" / "such" / "x.json"), cwd=ROOT)
    check(run.returncode == 3 and "No such file" in run.stderr and not run.stdout,
          "a file that cannot be written is told before anything is played", run.stderr)
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    run = simulate("run", "--nodes", "8", "--days", "1", "--json", str(pipe), cwd=ROOT)
    told = reader.communicate(timeout=60)[0]
    check(run.returncode == 0 and told.startswith("{") and pipe.is_fifo(),
          "a pipe or device gets the numbers, and no file takes its place", run.stderr + told)
    full = subprocess.run(f"'{SIMULATE}' run --nodes 8 --days 1 >/dev/full", shell=True, text=True,
                          stderr=subprocess.PIPE, check=False)
    check(full.returncode == 3 and "No space left" in full.stderr,
          "a report that cannot be written out is no success", full.stderr)
    for verb in ("run", "compare", "sweep"):
        run = simulate(verb, "--help", cwd=ROOT)
        check(run.returncode == 0 and "--faults MODEL" in run.stdout and not run.stderr,
              f"simulate {verb} --help is no error", run.stdout + run.stderr)
    run = simulate("sweep", str(broken), "--policy", "policies/p4d.json", "--policy",
                   "policies/fast.json", cwd=ROOT)
    check(run.returncode == 3 and f"{broken}: Not a directory" in run.stderr and not run.stdout,
          "a sweep into a file is refused at once", run.stderr)


def checkers(folder):
    run = simulate("run", *SMALL, "--world", "hostile", "--checks", "--seed", "11", cwd=folder)
    check(run.returncode == 0 and "checkers found nothing" in run.stdout,
          "a hostile world with every checker on", run.stdout + run.stderr)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page, numbers = same_bytes(folder)
        page_is_whole(page, numbers)
        page_fits_a_phone(folder)
        bad_input(folder)
        checkers(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
