"""Who asked AWS for what, against what the rendered policies grant: whole roles, action by action."""
import json

# Operations whose permission has another name, or several.
PERMISSIONS = {
    ("sqs", "DeleteMessageBatch"): {"sqs:DeleteMessage"},
    ("sqs", "ChangeMessageVisibilityBatch"): {"sqs:ChangeMessageVisibility"},
    ("s3", "PUT"): {"s3:PutObject"}, ("s3", "GET"): {"s3:GetObject"}, ("s3", "HEAD"): {"s3:GetObject"},
    ("dynamodb", "TransactWriteItems"): set(),  # its parts are named by what they do
}
SERVICE = {"monitoring": "cloudwatch"}
# Granted for what a run may not meet: faults of other kinds, and what RunInstances itself needs.
NOT_EVERY_RUN = {"ec2:StopInstances", "ec2:StartInstances", "ec2:RebootInstances", "ec2:CreateTags", "iam:PassRole", "ec2:TerminateInstances",
                 "sqs:ChangeMessageVisibility", "dynamodb:DeleteItem", "dynamodb:GetItem",
                 "dynamodb:PutItem", "dynamodb:UpdateItem"}


def granted(rendered, role):
    found = set()
    for policy in (rendered / "iam").glob(f"{role}-*.json"):
        for statement in json.loads(policy.read_text())["Statement"]:
            if statement["Effect"] == "Allow":
                actions = statement["Action"]
                found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def asked(front, cluster_name):
    """Role -> permissions that its calls needed."""
    found = {}
    for line in (front / "calls.log").read_text().splitlines():
        call = json.loads(line)
        host = call["host"].split(".")
        service = "s3" if "s3" in host else SERVICE.get(host[0], host[0])
        role = call["role"].removeprefix(cluster_name + "-")
        needed = PERMISSIONS.get((service, call["operation"]), {f"{service}:{call['operation']}"})
        found.setdefault(role, set()).update(needed)
    return found


def calls_are_granted(cluster):
    wrong = []
    for role, needed in sorted(asked(cluster.front, "prod-a").items()):
        have = granted(cluster.rendered, role)
        wrong += [f"{role}: {action} was asked for and is not granted" for action in sorted(needed - have)]
        if role == "controller":
            daemon = json.loads((cluster.rendered / "iam/controller-daemon.json").read_text())["Statement"]
            idle = {a for s in daemon if s["Effect"] == "Allow" for a in
                    ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])} - needed - NOT_EVERY_RUN
            wrong += [f"the daemon is granted {action} and never asked for it" for action in sorted(idle)]
    return "\n".join(wrong)
