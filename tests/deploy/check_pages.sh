# check_pages.sh - sourced by run.sh: pages that must follow the sources, and their links.
# shellcheck shell=bash disable=SC2154

check "the architecture picture is what its source makes" python3 "$ROOT/docs/architecture.py" --check
every_fault_has_its_row() {
    local fault status=0
    while read -r fault; do
        [ "$fault" = none ] || grep -qE "^\\|.*\`$fault\`.*\\|" "$ROOT/docs/runbooks/incidents.md" ||
            { echo "$fault: no row in docs/runbooks/incidents.md" && status=1; }
    done < <(sed -nE 's/^ +X\(RC_FAULT_[A-Z_]+, *"([a-z-]+)",.*/\1/p' "$ROOT/reconciler/core/policy.h")
    return "$status"
}
check "every fault that the daemon knows has its row in the runbook of incidents" every_fault_has_its_row
every_alarm_has_its_row() {
    local alarm status=0
    while read -r alarm; do
        grep -qF "\`$alarm\`" "$ROOT/docs/runbooks/alarms.md" || { echo "$alarm: no row in docs/runbooks/alarms.md" && status=1; }
    done < <(sed -nE 's/^    "?([a-z-]+)"? += \{$/\1/p; s/.*"\$\{node\}-([a-z]+)" =>.*/\1/p; s/.*: "([a-z-]+)" => \{$/\1/p' \
        "$D/terraform/modules/alarms/main.tf" | grep -v per-gpu)
    return "$status"
}
check "every alarm has its row in the runbook of alarms" every_alarm_has_its_row
# The commands of deploy/README.md, walked through with cd: programs, plays and jobs that they name are there.
readme_walks() {
    python3 - "$ROOT" <<'PYTHON'
import os, pathlib, re, sys
root, seen, wrong = pathlib.Path(sys.argv[1]), 0, []
blocks = re.findall(r"^```\n(.*?)^```", (root / "deploy/README.md").read_text(), re.M | re.S)
for block, start in zip(blocks, (root, root / "deploy/jobs"), strict=True):
    here = start
    for command in re.split(r"\n|&&", re.sub(r"#.*", "", block)):
        words = command.split()
        if words[:1] == ["cd"]:
            here = (here / words[1]).resolve()
        for word in words:
            if re.search(r"(^\./|\.(sh|yml|slurm)$)", word):
                seen += 1
                wrong += [] if (here / word).exists() else [f"{here.relative_to(root)}: {word}"]
print("\n".join(wrong))
sys.exit(bool(wrong) or seen < 8)
PYTHON
}
check "the commands of deploy/README.md name what is there" readme_walks
links_lead_somewhere() {
    python3 - "$ROOT" <<'PYTHON'
import pathlib, re, sys
root, wrong = pathlib.Path(sys.argv[1]), 0
for page in [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "deploy").rglob("*.md")]:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        if not (page.parent / target).exists():
            wrong = 1
            print(f"{page.relative_to(root)}: {target}")
sys.exit(wrong)
PYTHON
}
check "links between the pages lead somewhere" links_lead_somewhere
