output "queue_url" {
  description = "Queue that the daemon reads."
  value       = aws_sqs_queue.events.id
}

output "queue_arn" {
  description = "The same as an ARN."
  value       = aws_sqs_queue.events.arn
}

output "queue_name" {
  description = "Its name, for alarms."
  value       = aws_sqs_queue.events.name
}

output "dead_queue_name" {
  description = "Name of the dead-letter queue, for alarms."
  value       = aws_sqs_queue.dead.name
}

output "lease_table" {
  description = "Table of the lease."
  value       = aws_dynamodb_table.this["lease"].name
}

output "incidents_table" {
  description = "Table of incidents and histories."
  value       = aws_dynamodb_table.this["incidents"].name
}

output "table_arns" {
  description = "Both tables: lease, incidents."
  value       = { for key, table in aws_dynamodb_table.this : key => table.arn }
}

output "people_topic_arn" {
  description = "SNS topic of what needs a person."
  value       = aws_sns_topic.people.arn
}

output "event_patterns" {
  description = "Rule name to its pattern, JSON."
  value       = { for key, rule in aws_cloudwatch_event_rule.this : key => rule.event_pattern }
}
