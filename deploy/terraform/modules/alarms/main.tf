# Alarms are both: told to people through SNS, and heard by the daemon through EventBridge. Those
# of nodes name an instance: after a replacement the next apply points them at the new one.
# Until then the daemon has its own polling of status checks.

locals {
  agent = "slurm-on-aws" # namespace of the CloudWatch agent's metrics

  # statistic, comparison, threshold, minutes, what missing data means
  per_gpu_node = {
    system-check = {
      namespace = "AWS/EC2", metric = "StatusCheckFailed_System", statistic = "Maximum"
      operator  = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 2, missing = "missing"
      text      = "the host of the instance is impaired: power, network or hardware of AWS"
    }
    instance-check = {
      namespace = "AWS/EC2", metric = "StatusCheckFailed_Instance", statistic = "Maximum"
      operator  = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 5, missing = "missing"
      text      = "the system on the instance does not answer: kernel, memory or network set-up"
    }
    ebs-check = {
      namespace = "AWS/EC2", metric = "StatusCheckFailed_AttachedEBS", statistic = "Maximum"
      operator  = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 5, missing = "missing"
      text      = "an attached volume does not complete its I/O"
    }
    gpu-temperature = {
      namespace = local.agent, metric = "nvidia_smi_temperature_gpu", statistic = "Maximum"
      operator  = "GreaterThanOrEqualToThreshold", threshold = var.gpu_temperature_c, minutes = 3, missing = "missing"
      text      = "a GPU is hot and will slow down"
    }
    gpu-pcie-width = {
      namespace = local.agent, metric = "nvidia_smi_pcie_link_width_current", statistic = "Minimum"
      operator  = "LessThanThreshold", threshold = 16, minutes = 5, missing = "missing"
      text      = "a GPU lost PCIe lanes"
    }
    efa-devices = {
      namespace = local.agent, metric = "efa_devices", statistic = "Minimum"
      operator  = "LessThanThreshold", threshold = var.efa_cards, minutes = 2, missing = "missing"
      text      = "an EFA device is missing"
    }
    efa-timeouts = {
      namespace = local.agent, metric = "efa_retrans_timeout_events", statistic = "Maximum"
      operator  = "GreaterThanThreshold", threshold = 100, minutes = 5, missing = "missing"
      text      = "EFA gives up on retransmissions: the network, or the peer"
    }
  }

  of_nodes = merge([
    for node, instance in var.gpu_nodes : {
      for key, alarm in local.per_gpu_node : "${node}-${key}" => merge(alarm, {
        # An id that nothing has: no data, no alarm, while the node has no instance.
        dimensions = { InstanceId = instance == "" ? "i-00000000000000000" : instance }
      })
    }
  ]...)

  # Of login, controllers, NFS and GlusterFS people hear. The daemon has no repairs for these, but for the
  # controllers, which it looks at itself.
  of_fixed = {
    for node, instance in var.fixed_nodes : "${node}-status" => {
      namespace  = "AWS/EC2", metric = "StatusCheckFailed", statistic = "Maximum"
      operator   = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 5, missing = "missing"
      text       = "${node} or its host does not answer"
      dimensions = { InstanceId = instance }
    }
  }

  # A full file server stops every job at once.
  of_storage = {
    for node, instance in var.fixed_nodes : "${node}-disk" => {
      namespace  = local.agent, metric = "disk_used_percent", statistic = "Maximum"
      operator   = "GreaterThanOrEqualToThreshold", threshold = var.disk_used_percent, minutes = 5, missing = "missing"
      text       = "a file system of ${node} is nearly full"
      dimensions = { InstanceId = instance }
    } if can(regex("^(nfs|gluster)-", node))
  }

  of_cluster = merge({
    queue-age = {
      namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
      operator   = "GreaterThanThreshold", threshold = 300, minutes = 5, missing = "notBreaching"
      text       = "nobody takes events from the queue"
      dimensions = { QueueName = var.queue_name }
    }
    dead-letters = {
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      operator   = "GreaterThanThreshold", threshold = 0, minutes = 1, missing = "notBreaching"
      text       = "an event could not be delivered or was never finished: look at it in the dead-letter queue"
      dimensions = { QueueName = var.dead_queue_name }
    }
    no-leader = {
      namespace  = local.agent, metric = "reconcilerd_leader", statistic = "Maximum"
      operator   = "LessThanThreshold", threshold = 1, minutes = 3, missing = "breaching"
      text       = "no reconcilerd leads: nothing repairs the cluster"
      dimensions = { Cluster = var.name }
    }
    lease-not-renewed = {
      namespace  = local.agent, metric = "reconcilerd_lease_left_seconds", statistic = "Maximum"
      operator   = "LessThanOrEqualToThreshold", threshold = 5, minutes = 2, missing = "breaching"
      text       = "the leader cannot renew its lease: DynamoDB or the network to it"
      dimensions = { Cluster = var.name }
    }
    # Both daemons ask both controllers: one that sees it serve is enough. Only a pair has this metric.
    no-slurmctld = {
      namespace  = local.agent, metric = "reconcilerd_slurmctld_primary", statistic = "Maximum"
      operator   = "LessThanThreshold", threshold = 1, minutes = 3, missing = "notBreaching"
      text       = "no slurmctld serves: jobs run, none is started, and the daemon has not moved it"
      dimensions = { Cluster = var.name }
    }
    for-people = {
      namespace  = local.agent, metric = "reconcilerd_incidents_for_people", statistic = "Maximum"
      operator   = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 5, missing = "notBreaching"
      text       = "a node waits for a person: an approval, or every repair was tried"
      dimensions = { Cluster = var.name }
    }
    breaker-open = {
      namespace  = local.agent, metric = "reconcilerd_breaker_open", statistic = "Maximum"
      operator   = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 1, missing = "notBreaching"
      text       = "too many faults at once: destructive repairs wait for a person"
      dimensions = { Cluster = var.name }
    }
    }, {
    for id in compact([var.database_identifier]) : "database-storage" => {
      namespace  = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum"
      operator   = "LessThanThreshold", threshold = 2147483648, minutes = 15, missing = "missing"
      text       = "less than 2 GiB free in the accounting database, and it could not grow"
      dimensions = { DBInstanceIdentifier = id }
    }
  })
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = merge(local.of_nodes, local.of_fixed, local.of_storage, local.of_cluster)

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text}. What to do: docs/runbooks/alarms.md"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [var.people_topic_arn]
  ok_actions          = [var.people_topic_arn]

  tags = { Name = "${var.name}-${each.key}" }
}
