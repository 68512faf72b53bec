#!/usr/bin/env python3
"""Writes architecture.svg from the boxes and arrows below. --check: is it up to date?"""
import html
import pathlib
import sys

WIDTH, HEIGHT = 980, 640
# name: (x, y, width, height, kind, lines)
BOXES = {
    "aws": (20, 20, 300, 150, "aws", ["AWS events", "EC2 state, spot, Health, alarms,", "reservations, EBS, fleet"]),
    "bus": (350, 20, 280, 70, "aws", ["EventBridge", "rules for what a handler wants"]),
    "queue": (660, 20, 300, 70, "aws", ["SQS queue + dead-letter queue"]),
    "ddb": (660, 110, 300, 60, "aws", ["DynamoDB", "lease, incidents, histories"]),
    "login": (20, 210, 180, 90, "node", ["login-1", "public subnet,", "the only SSH entrance"]),
    "ctl1": (230, 210, 350, 130, "ctl", ["ctl-1 (zone a)", "slurmctld primary, slurmdbd", "reconcilerd: leads", "helpers: reader, writer, registrar"]),
    "ctl2": (610, 210, 350, 130, "ctl", ["ctl-2 (zone b)", "slurmctld backup, slurmdbd", "reconcilerd stands by", "lost: launched anew by the leader"]),
    "efs": (230, 370, 230, 70, "store", ["EFS", "slurmctld's state, slurm.conf"]),
    "rds": (490, 370, 230, 70, "store", ["RDS MySQL 8.0", "accounting"]),
    "ec2": (750, 370, 210, 90, "aws", ["EC2 API", "launch templates: nodes,", "controllers; one a zone"]),
    "cpu": (20, 480, 210, 110, "node", ["cpu-1 … cpu-3", "cluster placement group", "nodewatch admit, slurmd"]),
    "gpu": (260, 480, 330, 110, "node", ["gpu-1, gpu-2: p4d.24xlarge", "8 × A100, 4 EFA cards (400 Gb/s)", "nodewatch admit, slurmd, DCGM"]),
    "files": (620, 480, 340, 110, "store", ["gluster-1 … gluster-3, nfs-1", "/shared_gluster, home, software"]),
}
ARROWS = (
    ("aws", "bus", ""), ("bus", "queue", ""), ("queue", "ctl1", "1 hears"), ("ctl1", "ddb", "lease"),
    ("ctl1", "efs", "4 registers"), ("ctl1", "ec2", "3 replaces"), ("ctl1", "gpu", "2 drains, 5 proves, returns"),
    ("ctl1", "rds", ""), ("ctl2", "rds", ""), ("login", "ctl1", "sbatch"),
)
COLOURS = {"aws": "#fdebd0", "ctl": "#d6eaf8", "node": "#d5f5e3", "store": "#ebdef0"}


def edge(box, towards):
    """Where the line between two centres leaves the box."""
    x, y, w, h = box[:4]
    cx, cy = x + w / 2, y + h / 2
    dx, dy = towards[0] + towards[2] / 2 - cx, towards[1] + towards[3] / 2 - cy
    scale = min(w / 2 / abs(dx) if dx else 9e9, h / 2 / abs(dy) if dy else 9e9)
    return cx + dx * scale, cy + dy * scale


def draw():
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="13">',
           '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
           'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#444"/></marker></defs>',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for start, end, label in ARROWS:
        (x1, y1), (x2, y2) = edge(BOXES[start], BOXES[end]), edge(BOXES[end], BOXES[start])
        out.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" '
                   'stroke="#444" stroke-width="1.4" marker-end="url(#a)"/>')
        if label:
            out.append(f'<text x="{(x1 + x2) / 2 + 5:.0f}" y="{(y1 + y2) / 2:.0f}" fill="#a33">'
                       f'{html.escape(label)}</text>')
    for x, y, w, h, kind, lines in BOXES.values():
        out.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="{COLOURS[kind]}" '
                   'stroke="#666"/>')
        for i, line in enumerate(lines):
            weight = ' font-weight="bold"' if i == 0 else ""
            out.append(f'<text x="{x + 12}" y="{y + 24 + i * 19}"{weight}>{html.escape(line)}</text>')
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    target = pathlib.Path(__file__).with_suffix(".svg")
    if "--check" in sys.argv:
        sys.exit(target.read_text() != draw())
    target.write_text(draw())
