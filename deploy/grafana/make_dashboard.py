#!/usr/bin/env python3
"""Writes slurm-on-aws.json, the Grafana dashboard, from the rows below."""
import json
import pathlib
import sys

# (title, expression, legend, unit, kind)
PANELS = (
    ("Leader", "sum(reconcilerd_leader)", "leaders", "none", "stat"),
    ("Open incidents", "max(reconcilerd_open_incidents)", "open", "none", "stat"),
    ("Breaker", "max(reconcilerd_breaker_open)", "open", "none", "stat"),
    ("Lease left", "max(reconcilerd_lease_left_seconds)", "left", "s", "stat"),
    ("Incidents", "max(reconcilerd_open_incidents)", "incidents", "none", "timeseries"),
    ("Actions in flight", "max(reconcilerd_actions_in_flight)", "in flight", "none", "timeseries"),
    ("Events by kind", "sum by (event) (rate(reconcilerd_events_total[5m]))", "{{event}}", "ops", "timeseries"),
    ("Decisions by action", "sum by (action) (increase(reconcilerd_decisions_total[5m]))", "{{action}}", "none", "timeseries"),
    ("Answers that were errors", 'sum by (action, result) (increase(reconcilerd_completions_total{result!="ok"}[5m]))', "{{action}} {{result}}", "none", "timeseries"),
    ("Time from decision to answer, 95 %", "histogram_quantile(0.95, sum by (le, action) (rate(reconcilerd_action_seconds_bucket[15m])))", "{{action}}", "s", "timeseries"),
    ("Messages", "sum(rate(reconcilerd_messages_received_total[5m]))", "received", "ops", "timeseries"),
    ("Messages held", "max(reconcilerd_messages_held)", "held", "none", "timeseries"),
    ("Slurm polls that failed", "sum(increase(reconcilerd_slurm_poll_failures_total[5m]))", "failed", "none", "timeseries"),
    ("EC2 passes that failed", "sum(increase(reconcilerd_ec2_sweep_failures_total[5m]))", "failed", "none", "timeseries"),
    ("Journal segment", "max(reconcilerd_journal_segment_bytes)", "bytes", "bytes", "timeseries"),
    ("Where slurmctld is active", "max by (host) (reconcilerd_slurmctld_primary)", "{{host}}", "none", "timeseries"),
    ("Nodes in Slurm's table", "max(reconcilerd_slurm_nodes)", "nodes", "none", "timeseries"),
    ("Epoch of the lease", "max(reconcilerd_lease_epoch)", "epoch", "none", "timeseries"),
    ("Stale facts", "sum(increase(reconcilerd_stale_facts_total[5m]))", "stale", "none", "timeseries"),
)


def panel(number, title, expression, legend, unit, kind):
    small = kind == "stat"
    row, column = (0, number * 6) if small else (4 + (number - 4) // 2 * 8, (number - 4) % 2 * 12)
    return {
        "id": number + 1, "title": title, "type": kind,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": column, "y": row, "w": 6 if small else 12, "h": 4 if small else 8},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": legend}],
    }


def dashboard():
    return {
        "title": "slurm-on-aws", "uid": "slurm-on-aws", "schemaVersion": 39, "version": 1,
        "editable": True, "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "tags": ["slurm", "aws"],
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": [panel(i, *row) for i, row in enumerate(PANELS)],
    }


if __name__ == "__main__":
    text = json.dumps(dashboard(), indent=2) + "\n"
    file = pathlib.Path(__file__).with_name("slurm-on-aws.json")
    if "--check" in sys.argv:
        sys.exit(file.read_text() != text)
    file.write_text(text)
