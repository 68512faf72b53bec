#!/usr/bin/env python3
"""What an apply rendered, taken out of the state and judged.

    rendered.py extract STATE.json DIR       policies, patterns, user data, daemon configuration
    rendered.py calls IAM-FOLDER ROOT            granted actions against those in the daemon's sources
    rendered.py events VECTORS DIR           the event samples that EventBridge could deliver
    rendered.py matches VECTORS DIR MATCHES  what passed the rules against what handlers want
    rendered.py inventory FILE
    rendered.py readmes MODULES              every variable and output is in the module's README
"""
import base64
import json
import pathlib
import re
import sys

# What AWS's operations need other permissions for, or more than their own.
PERMISSION = {"sqs:DeleteMessageBatch": "sqs:DeleteMessage",
              "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility"}
TRANSACTION = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem",
               "ConditionCheck": "ConditionCheckItem"}
# Needed by RunInstances itself, which tags and passes the role.
IMPLIED = {"ec2:CreateTags", "iam:PassRole"}
# Samples that EventBridge cannot bring into the queue, with the reason.
NOT_BY_RULE = {
    "ec2-state-other-source.json": "a source of its own is a replay by an operator",
    "health-other-service.json": "notices of other services are left to people's subscriptions",
    "spot-sns-wrapped.json": "comes through SNS",
}


def resources(module):
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def extract(state, out):
    out = pathlib.Path(out)
    doc = json.loads(pathlib.Path(state).read_text())["values"]
    for folder in ("iam", "patterns"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for r in resources(doc["root_module"]):
        values = r["values"]
        if r["type"] == "aws_iam_role_policy":
            (out / "iam" / (r["index"].replace("/", "-") + ".json")).write_text(values["policy"])
        elif r["type"] == "aws_cloudwatch_event_rule":
            (out / "patterns" / (r["index"] + ".json")).write_text(values["event_pattern"])
        elif r["type"] == "aws_launch_template":
            group = "ctl" if r["address"].startswith("module.controller_templates") else r["address"].split('"')[1]
            (out / f"user-data-{group}").write_bytes(base64.b64decode(values["user_data"]))
        elif r["type"] == "local_file":
            name = pathlib.Path(values["filename"]).name
            (out / ("ansible-" + name if name == "reconcilerd.json" else name)).write_text(
                values["content"])
    daemon = doc["outputs"]["reconcilerd"]["value"]
    (out / "reconcilerd.json").write_text(json.dumps(daemon, indent=2))
    return not (list((out / "iam").iterdir()) and list((out / "patterns").iterdir()))


def granted(policy):
    for statement in json.loads(pathlib.Path(policy).read_text())["Statement"]:
        actions = statement["Action"] if statement["Effect"] == "Allow" else []
        yield from [actions] if isinstance(actions, str) else actions


def sent(root):
    """What the daemon's sources send: the operations of the AWS room's table (aws.h) that somebody
    outside of that room names, or whose function is called there, and the parts of transactions."""
    io = pathlib.Path(root, "reconciler/io")
    table = re.findall(r'X\((RC_AWS_\w+), *RC_AWS_(\w+), *"(\w+)"', (io / "aws/aws.h").read_text())
    room = {p: p.read_text() for p in (io / "aws").glob("*.c")}
    others = "\n".join(p.read_text() for p in io.rglob("*.c") if p not in room)
    for enum, service, name in table:
        functions = {f for text in room.values() for f in functions_with(text, enum)}
        if not (re.search(rf"\b{enum}\b", others) or any(re.search(rf"\b{f}\(", others) for f in functions)):
            continue
        if name == "TransactWriteItems":
            for kind in re.findall(r'add_transact_action\(\w+, (?:\w+ \? )?"(\w+)"(?: : "(\w+)")?', others):
                yield from (f"dynamodb:{TRANSACTION[k]}" for k in kind if k)
        else:
            yield PERMISSION.get(f"{service.lower()}:{name}", f"{service.lower()}:{name}")


def functions_with(text, word):
    """Names of the functions in which the word stands."""
    for name, body in re.findall(r"^(rc_\w+)\([^;{]*\)\n\{\n(.*?)^\}", text, re.M | re.S):
        if re.search(rf"\b{word}\b", body):
            yield name


def calls(folder, root):
    """What the daemon sends against what its two policies grant."""
    have = set(granted(pathlib.Path(folder, "controller-daemon.json")))
    have |= set(granted(pathlib.Path(folder, "controller-metrics.json")))
    used = set(sent(root))
    missing, idle = used - have, have - used - IMPLIED
    for words, found in (("not granted", missing), ("granted, never called", idle)):
        if found:
            print(f"{words}: {', '.join(sorted(found))}")
    return bool(missing or idle) or len(used) < 15


def expected(vectors):
    for line in pathlib.Path(vectors, "expected.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")[:2]


def events(vectors, out):
    """A sample that is no JSON object with a source cannot come from EventBridge."""
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, _ in expected(vectors):
        try:
            event = json.loads(pathlib.Path(vectors, name).read_text())
        except ValueError:
            continue
        if isinstance(event, dict) and str(event.get("source", "")).startswith("aws."):
            # Our alarms are known by their names; the samples have others.
            detail = event.get("detail")
            if isinstance(detail, dict) and isinstance(detail.get("alarmName"), str):
                detail["alarmName"] = "prod-a-" + detail["alarmName"]
            event.setdefault("detail-type", event.get("detail_type", ""))
            (out / name).write_text(json.dumps(event))
    return 0


def matches(vectors, folder, found):
    passed = {}
    for line in pathlib.Path(found).read_text().splitlines():
        event, pattern = line.split("\t")
        passed.setdefault(event, []).append(pattern)
    wrong = checked = 0
    for name, kind in expected(vectors):
        if not pathlib.Path(folder, name).exists() or name in NOT_BY_RULE:
            continue
        if "quarantined" in kind.split("|"):
            continue  # damaged: AWS does not send these, so either is right
        checked += 1
        wanted = kind != "ignored"
        if wanted != (name in passed):
            print(f"{name} ({kind}): {'does not pass' if wanted else passed[name]}")
            wrong += 1
    print(f"{checked} samples")
    return wrong or checked < 40


def inventory(path):
    text = pathlib.Path(path).read_text()
    nodes = set(re.findall(r"^(\S+) ansible_host=\d", text, re.M))
    want = {"login-1", "ctl-1", "ctl-2", "nfs-1", "gluster-1", "gluster-2", "gluster-3", "cpu-1",
            "cpu-2", "cpu-3", "gpu-1", "gpu-2"}
    print(text if nodes != want else "")
    return nodes != want


def readmes(modules):
    missing = []
    for module in sorted(pathlib.Path(modules).iterdir()):
        text = (module / "README.md").read_text()
        for source in ("variables.tf", "outputs.tf"):
            for name in re.findall(r'^(?:variable|output) "(\w+)"', (module / source).read_text(), re.M):
                if f"`{name}`" not in text:
                    missing.append(f"{module.name}: {name}")
    print("\n".join(missing))
    return bool(missing)


if __name__ == "__main__":
    command = {f.__name__: f for f in (extract, calls, events, matches, inventory, readmes)}[sys.argv[1]]
    sys.exit(1 if command(*sys.argv[2:]) else 0)
