# A snapshot of the NFS volume and of each brick every night. Replication and RAID outlive a disk;
# only this outlives an `rm -r`. Snapshots are of one volume each: bricks are not of one moment.

data "aws_region" "current" {}
data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

locals {
  data_tag  = "slurm-on-aws:data" # on the volumes; the snapshots get it from them
  snapshots = toset(var.snapshot_days > 0 && length(local.data_volumes) > 0 ? ["snapshots"] : [])

  # AWS's own policy for this service may delete every snapshot of the account.
  take_snapshots = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Look"
        Effect   = "Allow"
        Action   = ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"]
        Resource = "*"
      },
      {
        Sid       = "OfOurVolumes"
        Effect    = "Allow"
        Action    = "ec2:CreateSnapshot"
        Resource  = "arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:volume/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.data_tag}" = var.name } }
      },
      {
        Sid      = "Tagged"
        Effect   = "Allow"
        Action   = ["ec2:CreateSnapshot", "ec2:CreateTags"]
        Resource = "arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.region}::snapshot/*"
      },
      {
        Sid       = "EndOurs"
        Effect    = "Allow"
        Action    = "ec2:DeleteSnapshot"
        Resource  = "arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.region}::snapshot/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.data_tag}" = var.name } }
      },
    ]
  }
}

resource "aws_iam_role" "snapshots" {
  for_each = local.snapshots

  name        = "${var.name}-${each.key}"
  description = "Data Lifecycle Manager: nightly snapshots of ${var.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "dlm.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_iam_role_policy" "snapshots" {
  for_each = local.snapshots

  name   = "snapshots"
  role   = aws_iam_role.snapshots[each.key].name
  policy = jsonencode(local.take_snapshots)
}

resource "aws_dlm_lifecycle_policy" "data" {
  for_each = local.snapshots

  description        = "nightly snapshots of ${var.name}"
  execution_role_arn = aws_iam_role.snapshots[each.key].arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { (local.data_tag) = var.name }

    schedule {
      name      = "nightly"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["03:00"] # UTC; within the hour
      }
      retain_rule {
        count = var.snapshot_days
      }
    }
  }

  tags = { Name = "${var.name}-data" }

  depends_on = [aws_iam_role_policy.snapshots]
}
