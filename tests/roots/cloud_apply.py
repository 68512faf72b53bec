"""Makes in the emulator what Terraform's applied state says: an apply by another hand.

Run by the Python that has boto3: cloud_apply.py STATE.json. Whatever the emulator's API refuses
ends it. Prints a JSON object: `ids` (id in the state -> id in the emulator) and `compute` (node ->
its instance), `controllers` likewise. Types that the emulator does not know are left out (UNSPOKEN says which).
"""
import json
import os
import sys
from ipaddress import ip_address, ip_network

import boto3

URL, REGION = os.environ.get("RC_EMULATOR_URL", "http://127.0.0.1:5000"), "us-east-1"
UNSPOKEN = {"aws_efs_file_system", "aws_efs_mount_target", "aws_efs_backup_policy", "aws_dlm_lifecycle_policy",
            "local_file"}
IDS, DONE, COMPUTE, CONTROLLERS = {}, set(), {}, {}


def client(service):
    return boto3.client(service, endpoint_url=URL, region_name=REGION, aws_access_key_id="apply",
                        aws_secret_access_key="apply")


def resources(module):
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


class State:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.root = json.load(f)["values"]["root_module"]

    def each(self, kind):
        DONE.add(kind)
        for r in resources(self.root):
            if r["type"] == kind and r["mode"] == "managed":
                yield r.get("index"), r["values"], r["address"]


def real(value):
    """The same with the emulator's ids."""
    if isinstance(value, str):
        for made_up, there in IDS.items():
            value = value.replace(made_up, there)
        return value
    if isinstance(value, list):
        return [real(v) for v in value]
    return {k: real(v) for k, v in value.items()} if isinstance(value, dict) else value


def tags(values, kind=None):
    listed = [{"Key": k, "Value": v} for k, v in (values.get("tags") or {}).items()]
    return [{"ResourceType": kind, "Tags": listed}] if kind else listed


def network(state, ec2):
    for _, v, _ in state.each("aws_vpc"):
        IDS[v["id"]] = ec2.create_vpc(CidrBlock=v["cidr_block"], TagSpecifications=tags(v, "vpc"))["Vpc"]["VpcId"]
    for _, v, _ in state.each("aws_subnet"):
        made = ec2.create_subnet(VpcId=real(v["vpc_id"]), CidrBlock=v["cidr_block"],
                                 AvailabilityZone=v["availability_zone"], TagSpecifications=tags(v, "subnet"))
        IDS[v["id"]] = made["Subnet"]["SubnetId"]
    for _, v, _ in state.each("aws_internet_gateway"):
        made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=real(v["vpc_id"]))
        IDS[v["id"]] = made
    for _, v, _ in state.each("aws_eip"):
        made = ec2.allocate_address(Domain=v["domain"])
        IDS[v.get("allocation_id") or v["id"]] = IDS[v["id"]] = made["AllocationId"]
    for _, v, _ in state.each("aws_nat_gateway"):
        made = ec2.create_nat_gateway(SubnetId=real(v["subnet_id"]), AllocationId=real(v["allocation_id"]))
        IDS[v["id"]] = made["NatGateway"]["NatGatewayId"]
    for _, v, _ in state.each("aws_route_table"):
        made = ec2.create_route_table(VpcId=real(v["vpc_id"]))["RouteTable"]["RouteTableId"]
        IDS[v["id"]] = made
        for route in v["route"]:
            there = {"GatewayId": real(route["gateway_id"])} if route.get("gateway_id") else {
                "NatGatewayId": real(route["nat_gateway_id"])}
            ec2.create_route(RouteTableId=made, DestinationCidrBlock=route["cidr_block"], **there)
    for _, v, _ in state.each("aws_route_table_association"):
        ec2.associate_route_table(RouteTableId=real(v["route_table_id"]), SubnetId=real(v["subnet_id"]))
    for _, v, _ in state.each("aws_security_group"):
        made = ec2.create_security_group(GroupName=v["name"], Description=v["description"], VpcId=real(v["vpc_id"]))
        IDS[v["id"]] = made["GroupId"]
    for way in ("ingress", "egress"):
        for _, v, _ in state.each(f"aws_vpc_security_group_{way}_rule"):
            rule = {"IpProtocol": v["ip_protocol"]}
            if v.get("from_port") is not None and v["ip_protocol"] != "-1":
                rule.update(FromPort=v["from_port"], ToPort=v["to_port"])
            if v.get("cidr_ipv4") and "/" in v["cidr_ipv4"]:
                rule["IpRanges"] = [{"CidrIp": v["cidr_ipv4"]}]
            else:
                rule["UserIdGroupPairs"] = [{"GroupId": real(v["referenced_security_group_id"])}]
            if way == "egress" and rule.get("IpRanges"):
                continue  # a new group has this rule already
            getattr(ec2, f"authorize_security_group_{way}")(GroupId=real(v["security_group_id"]), IpPermissions=[rule])


def roles(state):
    iam = client("iam")
    for _, v, _ in state.each("aws_iam_role"):
        iam.create_role(RoleName=v["name"], AssumeRolePolicyDocument=v["assume_role_policy"], Tags=tags(v))
    for _, v, _ in state.each("aws_iam_role_policy"):
        iam.put_role_policy(RoleName=v["role"], PolicyName=v["name"], PolicyDocument=v["policy"])
    for _, v, _ in state.each("aws_iam_instance_profile"):
        made = iam.create_instance_profile(InstanceProfileName=v["name"])["InstanceProfile"]
        iam.add_role_to_instance_profile(InstanceProfileName=v["name"], RoleName=v["role"])
        IDS[v["arn"]] = made["Arn"]


def events(state):
    sqs, rules, ddb, sns = client("sqs"), client("events"), client("dynamodb"), client("sns")
    for _, v, address in sorted(state.each("aws_sqs_queue"), key=lambda r: ".dead" not in r[2]):
        given = {"VisibilityTimeout": str(v["visibility_timeout_seconds"])} if ".dead" not in address else {}
        if v.get("redrive_policy") and ".dead" not in address:
            policy = json.loads(v["redrive_policy"])
            policy["deadLetterTargetArn"] = f"arn:aws:sqs:{REGION}:123456789012:{v['name']}-dead"
            given["RedrivePolicy"] = json.dumps(policy)
        sqs.create_queue(QueueName=v["name"], Attributes=given)
    for name, v, _ in state.each("aws_cloudwatch_event_rule"):
        rules.put_rule(Name=v["name"], EventPattern=v["event_pattern"])
    for name, v, _ in state.each("aws_cloudwatch_event_target"):
        rules.put_targets(Rule=v["rule"], Targets=[{"Id": v["target_id"], "Arn": v["arn"]}])
    for _, v, _ in state.each("aws_dynamodb_table"):
        keys = [{"AttributeName": v["hash_key"], "KeyType": "HASH"}]
        if v.get("range_key") and v["range_key"] in {a["name"] for a in v["attribute"]}:
            keys.append({"AttributeName": v["range_key"], "KeyType": "RANGE"})
        ddb.create_table(TableName=v["name"], BillingMode=v["billing_mode"], KeySchema=keys, AttributeDefinitions=[
            {"AttributeName": a["name"], "AttributeType": a["type"]} for a in v["attribute"]])
    for _, v, _ in state.each("aws_kms_key"):
        made = client("kms").create_key(Description=v["description"], Policy=v["policy"])
        IDS[v["arn"]] = made["KeyMetadata"]["Arn"]
    for _, v, _ in state.each("aws_sns_topic"):
        sns.create_topic(Name=v["name"], Attributes={"KmsMasterKeyId": real(v["kms_master_key_id"])})


def storage(state):
    s3, secrets = client("s3"), client("secretsmanager")
    for _, v, address in state.each("aws_s3_bucket"):
        s3.create_bucket(Bucket=v["id"])
    for _, v, _ in state.each("aws_secretsmanager_secret"):
        name = v["arn"].rpartition(":")[2].rsplit("-", 1)[0]
        made = secrets.create_secret(Name=name, Description=v["description"])
        IDS[v["arn"]] = made["ARN"]
    # RDS makes the secret of its user; the state has no ARN of one that was never made.
    made = secrets.create_secret(Name="rds!db-prod-a", SecretString=json.dumps(
        {"username": "slurm", "password": "of-the-database"}))
    IDS["secret of the database"] = made["ARN"]


def templates(state, ec2):
    for _, v, _ in state.each("aws_key_pair"):
        name = v["key_name_prefix"] + "1"
        ec2.import_key_pair(KeyName=name, PublicKeyMaterial=v["public_key"].encode())
        IDS[v["key_name"]] = name
    for _, v, _ in state.each("aws_launch_template"):
        data = {"ImageId": v["image_id"], "InstanceType": v["instance_type"], "UserData": v["user_data"],
                "EbsOptimized": v["ebs_optimized"] in (True, "true"),
                "DisableApiTermination": v["disable_api_termination"] in (True, "true"),
                "IamInstanceProfile": {"Arn": real(v["iam_instance_profile"][0]["arn"])},
                "MetadataOptions": {"HttpTokens": v["metadata_options"][0]["http_tokens"]},
                "NetworkInterfaces": [
                    {k: x for k, x in {
                        "DeviceIndex": n["device_index"], "NetworkCardIndex": n["network_card_index"],
                        "InterfaceType": n.get("interface_type") or None, "SubnetId": real(n["subnet_id"]),
                        "Groups": real(n["security_groups"])}.items() if x is not None}
                    for n in v["network_interfaces"]],
                "TagSpecifications": [{"ResourceType": t["resource_type"], "Tags": tags(t)}
                                      for t in v["tag_specifications"]]}
        made = ec2.create_launch_template(LaunchTemplateName=v["name"], LaunchTemplateData=data)
        IDS[v["id"]] = made["LaunchTemplate"]["LaunchTemplateId"]


def compute(state, ec2):
    for node, v, address in state.each("aws_instance"):
        if ".compute[" not in address:
            continue
        template = real(v["launch_template"][0]["id"])
        data = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"][0]
        subnet = data["LaunchTemplateData"]["NetworkInterfaces"][0]["SubnetId"]
        made = ec2.run_instances(
            MinCount=1, MaxCount=1, ImageId=data["LaunchTemplateData"]["ImageId"],
            InstanceType=data["LaunchTemplateData"]["InstanceType"], SubnetId=subnet,
            PrivateIpAddress=v["private_ip"], TagSpecifications=tags(v, "instance"))["Instances"][0]
        COMPUTE[node] = {"id": made["InstanceId"], "addr": v["private_ip"]}


def controllers(state, ec2):
    """Of the fixed nodes those that the daemon looks after. Their made-up addresses say in which subnet."""
    subnets = [(ip_network(v["cidr_block"]), real(v["id"])) for _, v, _ in state.each("aws_subnet")]
    for node, v, address in state.each("aws_instance"):
        if ".fixed[" not in address or not v["tags"].get("slurm-on-aws:node"):
            continue
        made = ec2.run_instances(
            MinCount=1, MaxCount=1, ImageId=v["ami"], InstanceType=v["instance_type"],
            SubnetId=next(there for net, there in subnets if ip_address(v["private_ip"]) in net),
            PrivateIpAddress=v["private_ip"], TagSpecifications=tags(v, "instance"))["Instances"][0]
        CONTROLLERS[node] = {"id": made["InstanceId"], "addr": v["private_ip"]}


def main():
    state, ec2 = State(sys.argv[1]), client("ec2")
    network(state, ec2)
    roles(state)
    events(state)
    storage(state)
    templates(state, ec2)
    compute(state, ec2)
    controllers(state, ec2)
    print(json.dumps({"ids": IDS, "compute": COMPUTE, "controllers": CONTROLLERS, "done": sorted(DONE)}))


main()
