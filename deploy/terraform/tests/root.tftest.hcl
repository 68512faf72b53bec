mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { default_vcpus = 96, default_cores = 48, default_threads_per_core = 2, memory_size = 1179648 }
  }
  mock_data "aws_instances" {
    defaults = { ids = ["i-0123456789abcdef0"], private_ips = ["10.20.16.9"] }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", arn = "arn:aws:ec2:us-east-1:123456789012:launch-template/lt-0123456789abcdef0", latest_version = 7 }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:q" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:t" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/r" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/p" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/r" }
  }
}

mock_provider "local" {}

variables {
  cluster_name       = "prod-a"
  availability_zones = ["us-east-1a", "us-east-1b"]
  ssh_cidrs          = ["203.0.113.0/24"]
  ssh_public_key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBaIo1yAMOVLlGSEQtIf6gTLqhKl1YvWCD0iPR8pFqcO x"
  ami_id             = "ami-0123456789abcdef0"
}

run "the_cluster_of_the_specification" {
  command = apply
  assert {
    condition     = length(output.login_public_ips) == 1 && length(output.controller_private_ips) == 2
    error_message = "one login, two controllers"
  }
  assert {
    condition     = length(output.compute_private_ips) == 3 && length(output.gpu_compute_private_ips) == 2
    error_message = "three CPU and two GPU nodes"
  }
}

run "the_daemon_is_told_the_truth" {
  command = apply
  assert {
    condition     = [for g in output.reconcilerd.cluster.groups : g.nodes] == ["cpu-[1-3]", "gpu-[1-2]"]
    error_message = "both groups"
  }
  assert {
    condition     = alltrue(flatten([for g in output.reconcilerd.cluster.groups : [for l in g.launch : l.subnet_in_template && l.template == "lt-0123456789abcdef0" && l.template_version == 7]]))
    error_message = "every launch option names its pinned template, which names the subnet"
  }
  assert {
    condition     = output.reconcilerd.lease.kind == "dynamodb" && output.reconcilerd.lease.table == "prod-a-lease" && output.reconcilerd.incidents.table == "prod-a-incidents"
    error_message = "two controllers share lease and incidents"
  }
  assert {
    condition     = [for c in output.reconcilerd.controllers.hosts : c.host] == ["ctl-1", "ctl-2"] && output.reconcilerd.controllers.helper.args == ["--state-dir", "/var/spool/slurm-shared/state"]
    error_message = "both controllers, in SlurmctldHost's order, and where slurmctld keeps its state"
  }
  assert {
    condition     = output.reconcilerd.controllers.template == "lt-0123456789abcdef0" && output.reconcilerd.controllers.template_version == 7 && [for l in output.reconcilerd.controllers.launch : l.zone] == ["us-east-1a", "us-east-1b"] && alltrue([for l in output.reconcilerd.controllers.launch : l.subnet_in_template && l.template_version == 7])
    error_message = "a lost controller is launched from its pinned template, in any zone"
  }
}

run "state_in_files_needs_no_tables" {
  command = apply
  variables {
    daemon_state = "file"
  }
  assert {
    condition     = output.reconcilerd.lease.kind == "file" && !can(output.reconcilerd.controllers) && !strcontains(module.iam.policies["controller/daemon"], "dynamodb")
    error_message = "files on one controller, no fail-over, and no right that is not used"
  }
  assert {
    condition     = length(module.controller_templates) == 0 && !strcontains(output.daemons_instances, "ctl-1")
    error_message = "its controllers stay Terraform's"
  }
}

run "after_the_hand_over_instances_are_the_daemons" {
  command = plan
  variables {
    handed_over = true
  }
  assert {
    condition     = length(output.compute_private_ips) == 3 && length(output.controller_private_ips) == 2
    error_message = "all are still in the outputs and the inventory"
  }
}

run "two_zones_for_gpu_nodes" {
  command = plan
  variables {
    gpu = { zones = ["us-east-1b", "us-east-1a"] }
  }
  assert {
    condition     = [for l in local.reconcilerd.cluster.groups[1].launch : l.zone] == ["us-east-1b", "us-east-1a"]
    error_message = "launch options in the order given"
  }
}

run "a_reservation_made_here" {
  command = apply
  variables {
    gpu_capacity = { kind = "reserved", create = true }
  }
  assert {
    condition     = aws_ec2_capacity_reservation.gpu[0].instance_count == 2 && local.reconcilerd.cluster.groups[1].launch[0].reservation == aws_ec2_capacity_reservation.gpu[0].id
    error_message = "as many slots as GPU nodes, and the daemon knows it"
  }
  assert {
    condition     = aws_ec2_capacity_reservation.gpu[0].availability_zone == "us-east-1a" && aws_ec2_capacity_reservation.gpu[0].placement_group_arn == module.launch_templates["gpu"].placement_group_arns["us-east-1a"]
    error_message = "in the placement group into which the nodes are launched"
  }
}

run "a_name_with_blanks_is_refused" {
  command = plan
  variables {
    cluster_name = "my cluster"
  }
  expect_failures = [var.cluster_name]
}

run "a_reservation_is_where_the_nodes_are" {
  command = apply
  variables {
    gpu          = { zones = ["us-east-1b"] }
    gpu_capacity = { kind = "reserved", create = true }
  }
  assert {
    condition     = aws_ec2_capacity_reservation.gpu[0].availability_zone == "us-east-1b" && [for l in local.reconcilerd.cluster.groups[1].launch : l.zone] == ["us-east-1b"]
    error_message = "the zone of the GPU nodes, not the first one"
  }
}

run "a_reservation_in_two_zones_is_refused" {
  command = plan
  variables {
    gpu          = { zones = ["us-east-1a", "us-east-1b"] }
    gpu_capacity = { kind = "reserved", reservation_id = "cr-1" }
  }
  expect_failures = [var.gpu_capacity]
}

run "zones_of_another_region_are_refused" {
  command = plan
  variables {
    region = "eu-west-1"
  }
  expect_failures = [var.availability_zones]
}

run "a_zone_without_a_subnet_is_refused" {
  command = plan
  variables {
    gpu = { zones = ["us-east-1c"] }
  }
  expect_failures = [var.gpu]
}

run "a_name_that_rds_refuses_is_refused" {
  command = plan
  variables {
    cluster_name = "prod--a"
  }
  expect_failures = [var.cluster_name]
}
