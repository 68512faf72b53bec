# check_metrics.sh - sourced by run.sh: alert rules and dashboard.
# shellcheck shell=bash disable=SC2154

if command -v promtool >/dev/null; then
    check "promtool accepts the alert rules" promtool check rules "$D/prometheus/slurm-on-aws.rules.yml"
    check "the alerts fire when they should" promtool test rules "$D/prometheus/slurm-on-aws.test.yml"
else
    skip "promtool accepts the alert rules" "promtool is not installed"
fi
known_metrics() {
    local name status=0
    grep -hoE 'reconcilerd_[a-z0-9_]+' "$D"/prometheus/*.yml "$D"/grafana/*.json \
        "$D"/terraform/modules/alarms/main.tf |
        sort -u >"$WORK/names"
    while read -r name; do
        grep -q "\"${name%_bucket}\"" "$ROOT/reconciler/io/daemon/report.c" ||
            { echo "$name: the daemon has no such metric" && status=1; }
    done <"$WORK/names"
    return "$status"
}
check "rules, dashboard and alarms name metrics that the daemon has" known_metrics
dashboard_fits() {
    "$CACHE/venv/bin/check-jsonschema" --check-metaschema dashboard.schema.json &&
        "$CACHE/venv/bin/check-jsonschema" --schemafile dashboard.schema.json "$D/grafana/slurm-on-aws.json" &&
        python3 - "$D/grafana/slurm-on-aws.json" <<'PYTHON'
import json, sys
panels = json.load(open(sys.argv[1]))["panels"]
taken, wrong = {}, len({p["id"] for p in panels}) != len(panels)
for p in panels:
    g = p["gridPos"]
    for cell in ((x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])):
        if cell[0] > 23 or taken.setdefault(cell, p["title"]) != p["title"]:
            wrong = f'{p["title"]} lies over {taken[cell]}'
sys.exit(wrong)
PYTHON
}
check "the dashboard fits its schema, and no panel lies over another" dashboard_fits
# What Prometheus itself would say of each expression.
dashboard_asks_right() {
    python3 - "$D/grafana/slurm-on-aws.json" >"$WORK/dashboard.rules.yml" <<'PYTHON'
import json, sys
exprs = [t["expr"] for p in json.load(open(sys.argv[1]))["panels"] for t in p["targets"]]
rules = [{"record": f"panel:{i}", "expr": e} for i, e in enumerate(exprs)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
    promtool check rules "$WORK/dashboard.rules.yml"
}
if command -v promtool >/dev/null; then
    check "promtool accepts every expression of the dashboard" dashboard_asks_right
fi
check "the dashboard is what its source makes" python3 "$D/grafana/make_dashboard.py" --check
