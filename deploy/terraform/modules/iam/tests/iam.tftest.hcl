mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/prod-a-x" }
  }
}

variables {
  name                  = "prod-a"
  queue_arn             = "arn:aws:sqs:us-east-1:123456789012:prod-a-events"
  lease_table_arn       = "arn:aws:dynamodb:us-east-1:123456789012:table/prod-a-lease"
  incidents_table_arn   = "arn:aws:dynamodb:us-east-1:123456789012:table/prod-a-incidents"
  munge_secret_arn      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:munge"
  controller_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys"
  packages_bucket_arn   = "arn:aws:s3:::packages"
  evidence_arn          = "arn:aws:s3:::evidence/forensics"
  launch_template_arns  = ["arn:aws:ec2:us-east-1:123456789012:launch-template/lt-1"]
  subnet_arns           = ["arn:aws:ec2:us-east-1:123456789012:subnet/subnet-a"]
  security_group_arns   = ["arn:aws:ec2:us-east-1:123456789012:security-group/sg-1"]
}

run "what_changes_instances_asks_for_the_tag" {
  command = apply
  assert {
    condition = alltrue([
      for s in jsondecode(output.policies["controller/daemon"]).Statement :
      try(s.Condition.StringEquals["aws:ResourceTag/slurm-on-aws:cluster"], "") == "prod-a"
      if s.Effect == "Allow" && length(setintersection(flatten([s.Action]), ["ec2:StopInstances", "ec2:StartInstances", "ec2:RebootInstances", "ec2:TerminateInstances"])) > 0
    ])
    error_message = "a tag condition on everything that stops, starts, reboots or terminates"
  }
  assert {
    condition     = join(",", local.launched) == "compute,controller"
    error_message = "it launches nodes and controllers"
  }
  assert {
    condition = alltrue([
      for s in jsondecode(output.policies["controller/daemon"]).Statement :
      s.Resource == [for role in local.launched : aws_iam_role.this[role].arn] && s.Condition.StringEquals["iam:PassedToService"] == "ec2.amazonaws.com"
      if contains(flatten([s.Action]), "iam:PassRole")
    ])
    error_message = "only the roles of what it launches may be passed, and only to EC2"
  }
}

run "a_controller_is_never_ended" {
  command = apply
  assert {
    condition = anytrue([
      for s in jsondecode(output.policies["controller/daemon"]).Statement :
      s.Effect == "Deny" && contains(s.Action, "ec2:TerminateInstances") && try(s.Condition.StringEquals["aws:ResourceTag/slurm-on-aws:role"], "") == "controller"
    ])
    error_message = "the daemon may stop a controller, not terminate it"
  }
  assert {
    condition = anytrue([
      for s in jsondecode(output.policies["controller/daemon"]).Statement :
      s.Effect == "Deny" && contains(s.Action, "ec2:TerminateInstances") && try(s.Condition.StringEquals["aws:ResourceTag/slurm-on-aws:node"], []) == ["ctl-1", "ctl-2"]
    ])
    error_message = "nor one that is known by its name only"
  }
  assert {
    condition = !anytrue([
      for s in jsondecode(output.policies["controller/daemon"]).Statement :
      s.Effect == "Deny" && length(setintersection(flatten([s.Action]), ["ec2:StopInstances", "ec2:StartInstances"])) > 0
    ])
    error_message = "a lost controller is fenced by stopping it, and comes back by a start"
  }
}

run "evidence_is_written_by_the_daemon_below_its_prefix_and_read_by_no_node" {
  command = apply
  assert {
    condition = [
      for s in jsondecode(output.policies["controller/daemon"]).Statement :
      [s.Action, s.Resource] if strcontains(jsonencode(s.Action), "s3:")
    ] == [["s3:PutObject", "arn:aws:s3:::evidence/forensics/*"]]
    error_message = "PutObject below the prefix, nothing else of S3"
  }
  assert {
    condition     = !anytrue([for name, p in output.policies : strcontains(p, "evidence") if name != "controller/daemon"])
    error_message = "nobody else reaches the evidence"
  }
}

run "compute_nodes_may_touch_no_instance" {
  command = apply
  assert {
    condition     = !strcontains(output.policies["compute/join"], "ec2:") && !strcontains(output.policies["compute/metrics"], "ec2:")
    error_message = "no EC2 rights on compute nodes"
  }
  assert {
    condition     = length(aws_iam_role_policy_attachment.ssm) == 0
    error_message = "SSM only on demand"
  }
}

run "only_controllers_publish_and_only_what_nodes_fetch" {
  command = apply
  assert {
    condition     = jsondecode(output.policies["controller/publish"]).Statement[0].Resource == ["arn:aws:s3:::packages/node/*", "arn:aws:s3:::packages/controller/*"]
    error_message = "the two folders only"
  }
  assert {
    condition     = !anytrue([for key, policy in output.policies : strcontains(policy, "s3:PutObject") if !startswith(key, "controller/")])
    error_message = "nobody else writes what runs on every node"
  }
}

run "what_controllers_share_is_theirs_alone" {
  command = apply
  assert {
    condition     = !anytrue([for key, policy in output.policies : strcontains(policy, "packages/controller/") || strcontains(policy, "secret:keys") || strcontains(policy, "packages/*") if !startswith(key, "controller/")])
    error_message = "no other machine reads the keys and the files of controllers"
  }
  assert {
    condition     = length(jsondecode(output.policies["login/join"]).Statement) == 1
    error_message = "login nodes read the munge key, nothing of the bucket"
  }
}

run "without_a_pair_no_controller_is_launched" {
  command = apply
  variables {
    relaunch_controllers = false
  }
  assert {
    condition     = join(",", local.launched) == "compute"
    error_message = "the controllers' role is passed only where they are launched"
  }
}
