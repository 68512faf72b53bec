# EventBridge rules -> SQS (and a dead-letter queue) -> the daemon. SNS for people.
#
# SSE-SQS encrypts the queues: with a KMS key EventBridge would need a grant in the key's
# policy, and would drop events silently without it.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-events-dead"
  message_retention_seconds = 1209600 # 14 days: time for a person
  sqs_managed_sse_enabled   = true

  tags = { Name = "${var.name}-events-dead" }
}

resource "aws_sqs_queue" "events" {
  name                       = "${var.name}-events"
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 120
  message_retention_seconds  = 345600
  sqs_managed_sse_enabled    = true

  # The daemon puts bad messages aside by itself; what was received this often and never
  # deleted kills the reader.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 20
  })

  tags = { Name = "${var.name}-events" }
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.patterns

  name          = "${var.name}-${each.key}"
  description   = "${each.key} events for the reconciler of ${var.name}"
  event_pattern = jsonencode(each.value)

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.patterns

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "queue"
  arn       = aws_sqs_queue.events.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
  # Old news is polled anyway: an hour of tries is enough.
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 185
  }
}

locals {
  rule_arns = [for rule in aws_cloudwatch_event_rule.this : rule.arn]
}

resource "aws_sqs_queue_policy" "this" {
  for_each = { events = aws_sqs_queue.events, dead = aws_sqs_queue.dead }

  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyTheseRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = each.value.arn
        Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arns } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = each.value.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Lease, incidents and node histories of the daemon pair. Both are small and billed by
# request.
resource "aws_dynamodb_table" "this" {
  for_each = toset(["lease", "incidents"])

  name         = "${var.name}-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = each.key == "incidents" ? "sk" : null

  attribute {
    name = "pk"
    type = "S"
  }

  dynamic "attribute" {
    for_each = each.key == "incidents" ? ["sk"] : []

    content {
      name = attribute.value
      type = "S"
    }
  }

  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled = true
  }

  tags = { Name = "${var.name}-${each.key}" }
}

# CloudWatch may not use AWS's own key of SNS: with it alarms would reach nobody, silently.
resource "aws_kms_key" "people" {
  description             = "SNS topic ${var.name}-people: what CloudWatch's alarms tell"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
    ]
  })

  tags = { Name = "${var.name}-people" }
}

resource "aws_kms_alias" "people" {
  name          = "alias/${var.name}-people"
  target_key_id = aws_kms_key.people.key_id
}

resource "aws_sns_topic" "people" {
  name              = "${var.name}-people"
  kms_master_key_id = aws_kms_key.people.arn

  tags = { Name = "${var.name}-people" }
}

resource "aws_sns_topic_subscription" "people" {
  for_each = toset(var.notify_emails)

  topic_arn = aws_sns_topic.people.arn
  protocol  = "email"
  endpoint  = each.value
}
