mock_provider "aws" {}

variables {
  name                 = "prod-a"
  group                = "gpu"
  instance_type        = "p4d.24xlarge"
  efa_cards            = 4
  image_id             = "ami-0123456789abcdef0"
  subnets              = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
  security_group_ids   = ["sg-1"]
  instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/prod-a-compute"
  tags                 = { Project = "p", Environment = "e", ManagedBy = "terraform" }
  join = {
    region           = "us-east-1"
    controllers      = ["ctl-1", "ctl-2"]
    munge_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:munge"
    packages_bucket  = "bucket"
    gpus             = 8
  }
}

run "four_efa_cards" {
  command = plan
  assert {
    condition     = [for n in aws_launch_template.this["us-east-1a"].network_interfaces : n.network_card_index] == [0, 1, 2, 3]
    error_message = "a p4d.24xlarge has four network cards"
  }
  assert {
    condition     = alltrue([for n in aws_launch_template.this["us-east-1a"].network_interfaces : n.interface_type == "efa"])
    error_message = "an EFA on every card"
  }
  assert {
    condition     = [for n in aws_launch_template.this["us-east-1a"].network_interfaces : n.device_index] == [0, 1, 1, 1]
    error_message = "the primary interface is device 0 of card 0"
  }
}

run "a_template_for_each_zone_names_its_subnet" {
  command = plan
  assert {
    condition     = alltrue([for zone, t in aws_launch_template.this : alltrue([for n in t.network_interfaces : n.subnet_id == var.subnets[zone]])])
    error_message = "the interfaces are in the zone's subnet"
  }
  assert {
    condition     = aws_launch_template.this["us-east-1b"].placement[0].group_name == "prod-a-gpu-us-east-1b"
    error_message = "a placement group is in one zone"
  }
}

run "safe_by_default" {
  command = plan
  assert {
    condition     = alltrue([for t in aws_launch_template.this : t.metadata_options[0].http_tokens == "required" && t.metadata_options[0].http_put_response_hop_limit == 1])
    error_message = "IMDSv2 with hop limit 1"
  }
  assert {
    condition     = alltrue([for t in aws_launch_template.this : t.block_device_mappings[0].ebs[0].volume_type == "gp3" && tobool(t.block_device_mappings[0].ebs[0].encrypted)])
    error_message = "gp3, encrypted"
  }
  assert {
    condition     = alltrue([for s in aws_launch_template.this["us-east-1a"].tag_specifications : s.tags["slurm-on-aws:cluster"] == "prod-a" && s.tags["ManagedBy"] == "terraform"])
    error_message = "instances and volumes carry the tags"
  }
  assert {
    condition     = toset(aws_launch_template.this["us-east-1a"].tag_specifications[*].resource_type) == toset(["instance", "volume", "network-interface"])
    error_message = "interfaces too, and no spot request, which EC2 refuses here"
  }
}

run "a_fresh_instance_joins" {
  command = plan
  assert {
    condition     = strcontains(output.user_data, "RC_CONTROLLERS=ctl-1,ctl-2") && strcontains(output.user_data, "secretsmanager.GetSecretValue") && strcontains(output.user_data, "--conf-server") && strcontains(output.user_data, "RC_WATCH_OPTIONS=\"--gpus 8 --efas 4\"")
    error_message = "the user data has what joining needs"
  }
  assert {
    condition     = can(yamldecode(output.user_data)) && length(output.user_data) < 16384
    error_message = "user data must be YAML and below 16 KiB"
  }
}

run "a_capacity_block" {
  command = plan
  variables {
    placement_group = false
    capacity        = { kind = "block", reservation_id = "cr-1" }
  }
  assert {
    condition     = aws_launch_template.this["us-east-1a"].instance_market_options[0].market_type == "capacity-block" && length(aws_placement_group.this) == 0
    error_message = "a block is a market of its own and has no placement group"
  }
}

run "spot" {
  command = plan
  variables {
    instance_type = "c7a.medium"
    efa_cards     = 0
    spot          = true
  }
  assert {
    condition     = aws_launch_template.this["us-east-1a"].instance_market_options[0].market_type == "spot" && length(aws_launch_template.this["us-east-1a"].network_interfaces) == 1
    error_message = "spot, one plain interface"
  }
  assert {
    condition     = one([for s in aws_launch_template.this["us-east-1a"].tag_specifications : s.tags["slurm-on-aws:cluster"] if s.resource_type == "spot-instances-request"]) == "prod-a"
    error_message = "the request has the tags too"
  }
}

run "one_card_of_four_is_refused" {
  command = plan
  variables {
    efa_cards = 1
  }
  expect_failures = [var.efa_cards]
}

run "a_type_that_cannot_be_placed_is_refused" {
  command = plan
  variables {
    instance_type = "t3.small"
    efa_cards     = 0
  }
  expect_failures = [var.placement_group]
}

run "a_type_before_nitro_is_refused" {
  command = plan
  variables {
    instance_type   = "t2.small"
    efa_cards       = 0
    placement_group = false
  }
  expect_failures = [var.instance_type]
}

run "a_placement_group_that_exists" {
  command = plan
  variables {
    subnets              = { us-east-1a = "subnet-a" }
    placement_group_name = "training"
  }
  assert {
    condition     = aws_launch_template.this["us-east-1a"].placement[0].group_name == "training" && length(aws_placement_group.this) == 0
    error_message = "the nodes go there, none is made"
  }
}

run "a_placement_group_that_exists_is_in_one_zone" {
  command = plan
  variables {
    subnets              = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
    placement_group_name = "training"
  }
  expect_failures = [var.placement_group_name]
}

run "a_placement_group_that_is_not_wanted" {
  command = plan
  variables {
    subnets              = { us-east-1a = "subnet-a" }
    placement_group      = false
    placement_group_name = "training"
  }
  expect_failures = [var.placement_group_name]
}

run "a_placed_block_is_refused" {
  command = plan
  variables {
    capacity = { kind = "block", reservation_id = "cr-1" }
  }
  expect_failures = [var.capacity]
}

run "a_controller_comes_back_as_backup" {
  command = plan
  variables {
    group                = "ctl"
    role                 = "controller"
    instance_type        = "t3.small"
    efa_cards            = 0
    placement_group      = false
    instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/prod-a-controller"
    join = {
      region                = "us-east-1"
      controllers           = ["ctl-1", "ctl-2"]
      munge_secret_arn      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:munge"
      controller_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys"
      packages_bucket       = "bucket"
    }
  }
  assert {
    condition     = alltrue([for t in aws_launch_template.this : tobool(t.disable_api_termination) && !tobool(t.disable_api_stop)])
    error_message = "its remains are kept, and it can be fenced by a stop"
  }
  assert {
    condition     = alltrue([for t in aws_launch_template.this : anytrue([for s in t.tag_specifications : s.resource_type == "instance" && s.tags["slurm-on-aws:role"] == "controller" && s.tags["slurm-on-aws:cluster"] == "prod-a"])])
    error_message = "the tags by which IAM forbids to end it"
  }
  assert {
    condition     = strcontains(output.user_data, "RC_CONTROLLER_SECRET=arn:aws:secretsmanager:us-east-1:123456789012:secret:keys") && strcontains(output.user_data, "fetch controller/files.tar.gz") && strcontains(output.user_data, "systemctl restart reconcilerd") && !can(regex("systemctl (re)?start[^\n]* slurmctld", output.user_data))
    error_message = "the daemon stands by; slurmctld is the leader's to start"
  }
  assert {
    condition     = can(yamldecode(output.user_data)) && length(output.user_data) < 16384
    error_message = "user data must be YAML and below 16 KiB"
  }
}

run "nodes_can_be_terminated" {
  command = plan
  assert {
    condition     = alltrue([for t in aws_launch_template.this : !tobool(t.disable_api_termination)])
    error_message = "a node that is replaced must not be kept by a protection"
  }
}

run "a_spot_controller_is_refused" {
  command = plan
  variables {
    role            = "controller"
    instance_type   = "t3.small"
    efa_cards       = 0
    placement_group = false
    spot            = true
  }
  expect_failures = [var.role]
}

run "all_cards_of_a_known_type_without_a_word" {
  command = plan
  variables {
    efa_cards = null
  }
  assert {
    condition     = output.efa_cards == 4 && alltrue([for t in aws_launch_template.this : [for n in t.network_interfaces : n.network_card_index] == [0, 1, 2, 3]])
    error_message = "four on a p4d"
  }
}

run "an_arm_type_is_refused" {
  command = plan
  variables {
    instance_type = "c7gn.16xlarge"
    efa_cards     = 0
  }
  expect_failures = [var.instance_type]
}

run "gpu_types_are_no_arm_types" {
  command = plan
  variables {
    instance_type = "g4dn.12xlarge"
    efa_cards     = 0
  }
  assert {
    condition     = alltrue([for t in aws_launch_template.this : t.instance_type == "g4dn.12xlarge"])
    error_message = "the g before the number is another one"
  }
}

run "a_flex_type_in_a_placement_group_is_refused" {
  command = plan
  variables {
    instance_type = "m8i-flex.large"
    efa_cards     = 0
  }
  expect_failures = [var.placement_group]
}
