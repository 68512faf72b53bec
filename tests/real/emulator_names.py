"""Names that the emulator and the world around it share; needs no moto."""
ACCOUNT, REGION = "123456789012", "us-east-1"


def instance_arn(instance_id):
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance_id}"
