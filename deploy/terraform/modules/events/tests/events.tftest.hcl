mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:q" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/r" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:t" }
  }
}

variables {
  name          = "prod-a"
  notify_emails = ["ops@example.com"]
}

run "every_rule_has_queue_and_dead_letter_queue" {
  command = apply
  assert {
    condition     = keys(aws_cloudwatch_event_rule.this) == ["alarms", "capacity-block", "capacity-reservation", "ebs", "ec2-state", "fleet", "health", "rebalance", "spot"]
    error_message = "the nine families of events"
  }
  assert {
    condition     = alltrue([for t in aws_cloudwatch_event_target.this : t.arn == aws_sqs_queue.events.arn && t.dead_letter_config[0].arn == aws_sqs_queue.dead.arn])
    error_message = "queue and dead-letter queue"
  }
  assert {
    condition     = alltrue([for q in [aws_sqs_queue.events, aws_sqs_queue.dead] : q.sqs_managed_sse_enabled])
    error_message = "encrypted"
  }
}

run "only_the_rules_may_send" {
  command = apply
  assert {
    condition = alltrue([
      for p in aws_sqs_queue_policy.this : alltrue([
        for s in jsondecode(p.policy).Statement : s.Effect == "Deny" || (s.Principal.Service == "events.amazonaws.com" && length(s.Condition.ArnEquals["aws:SourceArn"]) == 9)
      ])
    ])
    error_message = "the queue policy names the rules"
  }
}

run "an_address_without_at_is_refused" {
  command = plan
  variables {
    notify_emails = ["ops"]
  }
  expect_failures = [var.notify_emails]
}

run "alarms_reach_people_through_the_encrypted_topic" {
  command = apply
  assert {
    condition     = aws_sns_topic.people.kms_master_key_id == aws_kms_key.people.arn && aws_kms_key.people.enable_key_rotation
    error_message = "a key of its own: AWS's own key of SNS keeps CloudWatch's alarms out"
  }
  assert {
    condition = anytrue([
      for s in jsondecode(aws_kms_key.people.policy).Statement :
      try(s.Principal.Service, "") == "cloudwatch.amazonaws.com" && contains(s.Action, "kms:GenerateDataKey*") && contains(s.Action, "kms:Decrypt") && can(s.Condition.StringEquals["aws:SourceAccount"])
    ])
    error_message = "alarms of this account may use it"
  }
}
