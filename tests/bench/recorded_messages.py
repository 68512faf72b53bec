"""Lines {"arrival", "body"} as a queue in front of a busy cluster would record them: mostly
state changes of instances, some alarms, notices and messages that concern nobody."""

import json
import random

ACCOUNT, REGION = "111122223333", "us-east-1"


def envelope(number, kind, source, instance, detail):
    return {"version": "0", "id": f"{number:08x}-1111-2222-3333-444455556666",
            "detail-type": kind, "source": source, "account": ACCOUNT,
            "time": "2026-03-01T10:00:00Z", "region": REGION,
            "resources": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}"],
            "detail": detail}


def state(number, instance, chance):
    return envelope(number, "EC2 Instance State-change Notification", "aws.ec2", instance,
                    {"instance-id": instance, "state": chance.choice(["pending", "running"])})


def rebalance(number, instance, _chance):
    return envelope(number, "EC2 Instance Rebalance Recommendation", "aws.ec2", instance,
                    {"instance-id": instance})


def alarm(number, instance, _chance):
    value = {"value": "OK", "reason": "Threshold Crossed: 1 out of the last 1 datapoints",
             "reasonData": "{}", "timestamp": "2026-03-01T10:00:00.000+0000"}
    metric = {"namespace": "AWS/EC2", "name": "StatusCheckFailed_System",
              "dimensions": {"InstanceId": instance}}
    return envelope(number, "CloudWatch Alarm State Change", "aws.cloudwatch", instance, {
        "alarmName": f"status-{instance}", "state": value,
        "previousState": {**value, "value": "INSUFFICIENT_DATA"},
        "configuration": {"metrics": [{"id": "m1", "returnData": True, "metricStat": {
            "metric": metric, "period": 60, "stat": "Maximum"}}]}})


def other(number, instance, _chance):
    return envelope(number, "EC2 Instance Launch Successful", "aws.autoscaling", instance,
                    {"EC2InstanceId": instance, "StatusCode": "InProgress"})


KINDS = ((state, 86), (rebalance, 6), (alarm, 4), (other, 4))


def write(path, count, seed=1):
    chance = random.Random(seed)
    kinds, weights = zip(*KINDS)
    with open(path, "w", encoding="ascii") as out:
        for number in range(count):
            kind = chance.choices(kinds, weights)[0]
            instance = f"i-{chance.randrange(2_000) + 1:017x}"
            body = json.dumps(kind(number, instance, chance))
            out.write(json.dumps({"arrival": 1_772_000_000_000 + number * 20, "body": body}))
            out.write("\n")
