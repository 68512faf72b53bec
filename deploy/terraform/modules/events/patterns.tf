# What the daemon wants to hear: the families of handlers/decode/decode_table.c, each from the
# AWS service that sends it. Names that drift between editions of AWS's documentation are
# matched by their beginning. Everything else would only fill the queue.
locals {
  patterns = {
    ec2-state = {
      source      = ["aws.ec2"]
      detail-type = ["EC2 Instance State-change Notification"]
    }
    spot = {
      source      = ["aws.ec2"]
      detail-type = ["EC2 Spot Instance Interruption Warning"]
    }
    rebalance = {
      source      = ["aws.ec2"]
      detail-type = ["EC2 Instance Rebalance Recommendation", "EC2 Spot Instance Rebalance Recommended"]
    }
    # Other services' notices (RDS, S3 …) are for the people's own subscriptions.
    health = {
      source      = ["aws.health"]
      detail-type = ["AWS Health Event", "AWS Health Abuse Event"]
      detail      = { service = ["EC2", "EBS", "VPC", "ABUSE"] }
    }
    alarms = {
      source      = ["aws.cloudwatch"]
      detail-type = ["CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"]
      detail      = { alarmName = [{ prefix = "${var.name}-" }] }
    }
    capacity-reservation = {
      source = ["aws.ec2"]
      detail-type = [
        { prefix = "EC2 Capacity Reservation " },
        { prefix = "EC2 Interruptible Capacity Reservation " },
        { prefix = "EC2 On-Demand Capacity Reservation " },
        { prefix = "On-Demand Capacity Reservation " },
        { prefix = "EC2 ODCR " },
      ]
    }
    capacity-block = {
      source      = ["aws.ec2"]
      detail-type = [{ prefix = "Capacity Block " }, { prefix = "EC2 Capacity Block " }]
    }
    fleet = {
      source      = [{ prefix = "aws.ec2" }]
      detail-type = [{ prefix = "EC2 Fleet " }, { prefix = "EC2 Spot Fleet " }]
    }
    ebs = {
      source      = ["aws.ec2"]
      detail-type = [{ prefix = "EBS Volume " }]
    }
  }
}
