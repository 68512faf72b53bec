mock_provider "aws" {}

variables {
  name                = "prod-a"
  gpu_nodes           = { gpu-1 = "i-0123456789abcdef0", gpu-2 = "" }
  fixed_nodes         = { ctl-1 = "i-0aaaaaaaaaaaaaaaa", nfs-1 = "i-0bbbbbbbbbbbbbbbb" }
  efa_cards           = 4
  queue_name          = "prod-a-events"
  dead_queue_name     = "prod-a-events-dead"
  database_identifier = "prod-a-slurm"
  people_topic_arn    = "arn:aws:sns:us-east-1:123456789012:prod-a-people"
}

run "seven_alarms_for_each_gpu_node" {
  command = plan
  assert {
    condition     = alltrue([for node in ["gpu-1", "gpu-2"] : length([for a in aws_cloudwatch_metric_alarm.this : a if startswith(a.alarm_name, "prod-a-${node}-")]) == 7])
    error_message = "system, instance, EBS, temperature, PCIe, EFA devices, EFA time-outs"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["gpu-1-system-check"].dimensions["InstanceId"] == "i-0123456789abcdef0"
    error_message = "the instance's own check"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["gpu-1-efa-devices"].threshold == 4
    error_message = "all EFA devices must be there"
  }
}

run "the_daemon_itself_is_watched" {
  command = plan
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no-leader"].treat_missing_data == "breaching"
    error_message = "silence is an alarm"
  }
  assert {
    condition     = alltrue([for key in ["queue-age", "dead-letters", "lease-not-renewed", "no-slurmctld", "for-people", "database-storage"] : contains(keys(aws_cloudwatch_metric_alarm.this), key)])
    error_message = "queue, dead letters, lease, slurmctld, people, database"
  }
}

run "people_hear_of_the_nodes_that_terraform_keeps" {
  command = plan
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["ctl-1-status"].dimensions["InstanceId"] == "i-0aaaaaaaaaaaaaaaa" && contains(aws_cloudwatch_metric_alarm.this["nfs-1-status"].alarm_actions, var.people_topic_arn)
    error_message = "a status check of each"
  }
}

run "a_file_server_that_fills_up_is_heard_of" {
  command = plan
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["nfs-1-disk"].metric_name == "disk_used_percent" && aws_cloudwatch_metric_alarm.this["nfs-1-disk"].threshold == 85
    error_message = "before it is full"
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "ctl-1-disk")
    error_message = "controllers have no data volume"
  }
}
