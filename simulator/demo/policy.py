"""The demo's policy: the shipped one, with its waiting times shortened.

A real cluster waits minutes before it believes a failing check; a demo of two
minutes cannot. Rules, ladders and limits stay as shipped.
"""
import json
import re

SHIPPED = "policies/p4d.json"
CONFIRM = "2s"
RETRY = {"retry_min": "500ms", "retry_max": "5s", "capacity_wait": "10s"}

# Conditions that agents tell of: they must stand for minutes in the demo too, as on this machine,
# whose clock may have no source of time, they may.
STANDING = {"fs-hang", "thermal", "clock", "disk", "agent-drain"}

# Strings first, so that "//" inside one is not taken for a comment.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*')


def strip_comments(text):
    return TOKEN.sub(lambda m: "" if m[0].startswith("//") else m[0], text)


def write(path, ssh, controllers=None):
    """Writes the policy file; ssh: can the gate sign in on this world's nodes? controllers:
    other values than the shipped ones in that section."""
    with open(SHIPPED, encoding="utf-8") as shipped:
        policy = json.loads(strip_comments(shipped.read()))
    policy.pop("$schema", None)
    policy["name"] = "demo"
    policy["timeouts"].update(RETRY)
    policy["gate"]["ssh"] = ssh
    policy["controllers"].update(controllers or {})
    for rule in policy["rules"]:
        if "confirm" in rule and not STANDING & set(rule["match"]["fault"]):
            rule["confirm"] = CONFIRM
    path.write_text(json.dumps(policy, indent=2) + "\n", encoding="utf-8")
