# Instance roles with the least that each needs. The daemon may look at everything (EC2 has no
# narrower describe), but act only on instances with this cluster's tag, launch only from this
# cluster's templates, and pass only the roles of what it launches.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  account   = data.aws_caller_identity.current.account_id
  ec2       = "arn:${local.partition}:ec2:${local.region}:${local.account}"
  roles     = ["controller", "compute", "login", "storage"]
  tag       = "slurm-on-aws:cluster"
  # What the daemon launches: nodes, and a controller in the place of a lost one.
  launched = var.relaunch_controllers ? ["compute", "controller"] : ["compute"]

  daemon = {
    Version = "2012-10-17"
    Statement = concat([for s in [
      {
        Sid      = "Look"
        Effect   = "Allow"
        Action   = ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"]
        Resource = "*"
      },
      {
        Sid       = "ActOnOurs"
        Effect    = "Allow"
        Action    = ["ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances", "ec2:TerminateInstances", "ec2:GetConsoleOutput"]
        Resource  = "${local.ec2}:instance/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.tag}" = var.name } }
      },
      {
        # The controllers carry the cluster's tag too, so that one can fence the other by stopping it.
        # The tag that says so comes from their template, and is never the daemon's to change.
        Sid       = "NeverEndAController"
        Effect    = "Deny"
        Action    = ["ec2:TerminateInstances", "ec2:RebootInstances"]
        Resource  = "${local.ec2}:instance/*"
        Condition = { StringEquals = { "aws:ResourceTag/slurm-on-aws:role" = "controller" } }
      },
      {
        # The same by their names, should a launch ever leave the template's tags out.
        Sid       = "NeverEndAControllerByName"
        Effect    = "Deny"
        Action    = ["ec2:TerminateInstances", "ec2:RebootInstances"]
        Resource  = "${local.ec2}:instance/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.tag}" = var.name, "aws:ResourceTag/slurm-on-aws:node" = var.controller_names } }
      },
      {
        Sid      = "LaunchTagged"
        Effect   = "Allow"
        Action   = "ec2:RunInstances"
        Resource = ["${local.ec2}:instance/*", "${local.ec2}:volume/*"]
        Condition = {
          StringEquals = { "aws:RequestTag/${local.tag}" = var.name }
          ArnEquals    = { "ec2:LaunchTemplate" = var.launch_template_arns }
        }
      },
      {
        # What belongs to an instance, from our templates only; a spot request, where they say so.
        Sid      = "LaunchParts"
        Effect   = "Allow"
        Action   = "ec2:RunInstances"
        Resource = ["${local.ec2}:network-interface/*", "arn:${local.partition}:ec2:${local.region}::image/*", "${local.ec2}:key-pair/*", "${local.ec2}:placement-group/*", "${local.ec2}:capacity-reservation/*", "${local.ec2}:spot-instances-request/*"]
        Condition = {
          ArnEquals = { "ec2:LaunchTemplate" = var.launch_template_arns }
        }
      },
      {
        Sid      = "LaunchWhere"
        Effect   = "Allow"
        Action   = "ec2:RunInstances"
        Resource = concat(var.launch_template_arns, var.subnet_arns, var.security_group_arns)
      },
      {
        Sid      = "TagAtLaunch"
        Effect   = "Allow"
        Action   = "ec2:CreateTags"
        Resource = ["${local.ec2}:instance/*", "${local.ec2}:volume/*", "${local.ec2}:network-interface/*", "${local.ec2}:spot-instances-request/*"]
        Condition = {
          StringEquals = { "ec2:CreateAction" = "RunInstances", "aws:RequestTag/${local.tag}" = var.name }
        }
      },
      {
        # A hot spare gets a node's name; the cluster's own tag can be neither given nor taken.
        Sid      = "NameASpare"
        Effect   = "Allow"
        Action   = "ec2:CreateTags"
        Resource = ["${local.ec2}:instance/*"]
        Condition = {
          StringEquals                = { "aws:ResourceTag/${local.tag}" = var.name }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["slurm-on-aws:node", "slurm-on-aws:incident", "slurm-on-aws:attempt"] }
        }
      },
      {
        Sid       = "GiveLaunchedTheirRole"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [for role in local.launched : aws_iam_role.this[role].arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
      {
        Sid      = "Queue"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        Resource = var.queue_arn
      },
      {
        # Written, never read or deleted: what a controller has seen, none can take back.
        Sid      = "Evidence"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${var.evidence_arn}/*"
      },
      ] : s],
      # A write of an incident is a transaction that also moves the table's fence on.
      [for arn in compact([var.lease_table_arn]) : {
        Sid      = "Lease"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = arn
      }],
      [for arn in compact([var.incidents_table_arn]) : {
        Sid      = "Incidents"
        Effect   = "Allow"
        Action   = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
        Resource = arn
    }])
  }

  # Read once at the first boot: the key, and which folders of the bucket.
  join = {
    for kind, folders in { controller = ["node", "controller"], compute = ["node"], login = [] } : kind => {
      Version                         = "2012-10-17"
      Statement = concat(
        [{
          Sid      = "MungeKey"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = [var.munge_secret_arn]
        }],
        [for list in [folders] : {
          Sid      = "Published"
          Effect   = "Allow"
          Action   = "s3:GetObject"
          Resource = [for folder in list : "${var.packages_bucket_arn}/${folder}/*"]
        } if length(list) > 0],
      )
    }
  }

  # The reconciler role puts there what fresh instances fetch.
  publish = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Publish"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = ["${var.packages_bucket_arn}/node/*", "${var.packages_bucket_arn}/controller/*"]
      },
    ]
  }

  secrets = {
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "MakeMungeKey"
        Effect   = "Allow"
        Action   = "secretsmanager:PutSecretValue"
        Resource = var.munge_secret_arn
      }],
      [for arn in compact([var.controller_secret_arn]) : {
        Sid      = "KeysOfTheControllers"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        Resource = arn
      }],
      [for arn in compact([var.database_secret_arn]) : {
        Sid      = "DatabasePassword"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = arn
      }],
    )
  }

  # The CloudWatch agent writes into one namespace only.
  metrics = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "slurm-on-aws" } }
      },
    ]
  }

  # For the topology.conf of the slurm role; network places of our nodes.
  topology = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Topology"
        Effect   = "Allow"
        Action   = "ec2:DescribeInstanceTopology"
        Resource = "*"
      },
    ]
  }

  policies = {
    "controller/daemon"   = local.daemon
    "controller/join"     = local.join["controller"]
    "controller/publish"  = local.publish
    "controller/secrets"  = local.secrets
    "controller/metrics"  = local.metrics
    "controller/topology" = local.topology
    "compute/join"        = local.join["compute"]
    "compute/metrics"     = local.metrics
    "login/join"          = local.join["login"]
    "storage/metrics"     = local.metrics
  }
}

resource "aws_iam_role" "this" {
  for_each = toset(local.roles)

  name        = "${var.name}-${each.key}"
  description = "${each.key} nodes of ${var.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies

  name   = split("/", each.key)[1]
  role   = aws_iam_role.this[split("/", each.key)[0]].name
  policy = jsonencode(each.value)
}

resource "aws_iam_role_policy_attachment" "ssm" {
  for_each = var.ssm ? toset(local.roles) : toset([])

  role       = aws_iam_role.this[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "this" {
  for_each = toset(local.roles)

  name = "${var.name}-${each.key}"
  role = aws_iam_role.this[each.key].name

  tags = { Name = "${var.name}-${each.key}" }
}
