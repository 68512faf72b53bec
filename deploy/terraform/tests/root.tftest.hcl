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

run "a_controllers_interface_is_handed_over_with_it" {
  command = apply
  assert {
    # Else the next apply would take its tags away, from an interface that may be gone.
    condition     = alltrue([for key in ["Name", "Project", "Environment", "ManagedBy"] : contains(split("\n", output.daemons_instances), "module.nodes.aws_ec2_tag.interface[\"ctl-2/${key}\"]")])
    error_message = output.daemons_instances
  }
}

run "a_reservation_in_a_placement_group_of_ones_own" {
  command = apply
  variables {
    gpu          = { placement_group_name = "training" }
    gpu_capacity = { kind = "reserved", reservation_id = "cr-0123456789abcdef0" }
  }
  assert {
    condition     = module.launch_templates["gpu"].placement_group_arns == {} && length(module.launch_templates["cpu"].placement_group_arns) == 1
    error_message = "no other group is made for the GPU nodes"
  }
}

run "a_reservation_made_in_a_placement_group_of_ones_own" {
  command = apply
  variables {
    gpu          = { placement_group_name = "training" }
    gpu_capacity = { kind = "reserved", create = true }
  }
  assert {
    condition     = endswith(aws_ec2_capacity_reservation.gpu[0].placement_group_arn, ":placement-group/training")
    error_message = "the slots are where the nodes are launched"
  }
}

run "a_reservation_in_no_placement_group" {
  command = apply
  variables {
    gpu          = { placement_group = false }
    gpu_capacity = { kind = "reserved", create = true }
  }
  assert {
    condition     = module.launch_templates["gpu"].placement_group_arns == {} && aws_ec2_capacity_reservation.gpu[0].instance_count == 2
    error_message = "slots and nodes without one"
  }
}

run "an_arn_is_no_name_of_a_placement_group" {
  command = plan
  variables {
    gpu = { placement_group_name = "arn:aws:ec2:us-east-1:123456789012:placement-group/training" }
  }
  expect_failures = [var.gpu]
}

run "a_placement_group_spans_no_zones" {
  command = plan
  variables {
    gpu = { placement_group_name = "training", zones = ["us-east-1a", "us-east-1b"] }
  }
  expect_failures = [var.gpu]
}

run "a_block_in_a_placement_group_is_refused" {
  command = plan
  variables {
    gpu          = { placement_group_name = "training" }
    gpu_capacity = { kind = "block", reservation_id = "cr-0123456789abcdef0" }
  }
  expect_failures = [var.gpu_capacity]
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

run "without_gpu_nodes_there_is_nothing_of_them" {
  command = apply
  variables {
    gpu = { count = 0, type = "p9z.48xlarge" }
  }
  assert {
    condition     = keys(module.launch_templates) == ["cpu"] && keys(data.aws_ec2_instance_type.compute) == ["c7a.medium"] && [for g in output.reconcilerd.cluster.groups : g.name] == ["cpu"]
    error_message = "no template, and nobody asks for a type that the region may not have"
  }
  assert {
    condition     = output.gpu_compute_private_ips == [] && !anytrue([for name in module.alarms.alarm_names : strcontains(name, "gpu-")])
    error_message = "no address, no alarm"
  }
}

run "without_cpu_nodes_jobs_go_to_the_gpus" {
  command = apply
  variables {
    cpu = { count = 0 }
  }
  assert {
    condition     = [for g in local.ansible.compute_groups : g.name] == ["gpu"] && local.ansible.compute_groups[0].efa_cards == 4
    error_message = "one group, with all four cards without a word about them"
  }
}

run "no_nodes_at_all_are_refused" {
  command = plan
  variables {
    cpu = { count = 0 }
    gpu = { count = 0 }
  }
  expect_failures = [var.gpu]
}

run "another_gpu_type_has_no_efa_unless_it_is_said" {
  command = apply
  variables {
    gpu = { type = "g5.12xlarge" }
  }
  assert {
    condition     = module.launch_templates["gpu"].efa_cards == 0 && local.ansible.compute_groups[1].efa_cards == 0
    error_message = "one plain interface"
  }
}

run "sockets_are_known_or_said" {
  command = plan
  variables {
    cpu = { type = "c7i.24xlarge" }
  }
  assert {
    # Both have 48 cores.
    condition     = [for g in local.ansible.compute_groups : g.sockets] == [1, 2]
    error_message = "c7i.24xlarge is half a machine of two sockets, p4d.24xlarge a whole one"
  }
}

run "sockets_of_an_unknown_type" {
  command = plan
  variables {
    cpu = { type = "x2idn.32xlarge", sockets = 2 }
    gpu = { type = "g5.12xlarge" }
  }
  assert {
    condition     = [for g in local.ansible.compute_groups : g.sockets] == [2, 1]
    error_message = "as it was said"
  }
}

run "three_sockets_are_refused" {
  command = plan
  variables {
    gpu = { sockets = 3 }
  }
  expect_failures = [var.gpu]
}

run "a_small_type_keeps_memory_for_its_system" {
  command = apply
  override_data {
    target = data.aws_ec2_instance_type.compute["c7a.medium"]
    values = { default_vcpus = 1, default_cores = 1, default_threads_per_core = 1, memory_size = 2048 }
  }
  assert {
    condition     = local.ansible.compute_groups[0].memory_mb == 1748
    error_message = "300 MB less: ${local.ansible.compute_groups[0].memory_mb}"
  }
}

run "three_zones" {
  command = apply
  variables {
    availability_zones   = ["us-east-1a", "us-east-1b", "us-east-1c"]
    private_subnet_cidrs = ["10.20.16.0/20", "10.20.32.0/20", "10.20.48.0/20"]
  }
  assert {
    condition     = [for l in output.reconcilerd.controllers.launch : l.zone] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    error_message = "a controller may come back in the third"
  }
}

run "in_a_vpc_that_is_there" {
  command = apply
  variables {
    vpc_cidr         = "172.16.0.0/16"
    existing_network = { vpc_id = "vpc-1", public_subnet_id = "subnet-p", private_subnet_ids = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" } }
  }
  assert {
    condition     = length(module.network) == 0 && [for l in output.reconcilerd.controllers.launch : l.subnet] == ["subnet-a", "subnet-b"] && local.ansible.vpc_cidr == "172.16.0.0/16"
    error_message = "no VPC is made, everything is in the given subnets, exports are for its network"
  }
}

run "a_vpc_without_a_subnet_in_a_zone_is_refused" {
  command = plan
  variables {
    existing_network = { vpc_id = "vpc-1", public_subnet_id = "subnet-p", private_subnet_ids = { us-east-1a = "subnet-a" } }
  }
  expect_failures = [var.existing_network]
}

run "a_capacity_block" {
  command = apply
  variables {
    gpu_capacity = { kind = "block", reservation_id = "cr-0123456789abcdef0" }
  }
  assert {
    condition     = output.reconcilerd.cluster.groups[1].launch[0].capacity_block && module.launch_templates["gpu"].placement_group_arns == {}
    error_message = "the daemon knows it for a block, which brings its own placement"
  }
}

run "spot_nodes" {
  command = apply
  variables {
    cpu = { spot = true, placement_group = false }
  }
  assert {
    condition     = module.launch_templates["cpu"].placement_group_arns == {}
    error_message = "where capacity is, not close together"
  }
}

run "state_on_nfs" {
  command = apply
  variables {
    state_on = "nfs"
  }
  assert {
    condition     = local.ansible.efs_dns_name == "" && local.ansible.state_on == "nfs"
    error_message = "no EFS"
  }
}

run "capitals_in_the_name_are_refused" {
  command = plan
  variables {
    cluster_name = "Prod-A"
  }
  expect_failures = [var.cluster_name]
}

run "a_reservation_without_nodes_is_refused" {
  command = plan
  variables {
    gpu          = { count = 0 }
    gpu_capacity = { kind = "reserved", create = true }
  }
  expect_failures = [var.gpu_capacity]
}

run "china_is_refused" {
  command = plan
  variables {
    region             = "cn-north-1"
    availability_zones = ["cn-north-1a", "cn-north-1b"]
  }
  expect_failures = [var.region]
}

run "a_reservation_in_two_zones_is_refused" {
  command = plan
  variables {
    gpu          = { zones = ["us-east-1a", "us-east-1b"] }
    gpu_capacity = { kind = "reserved", reservation_id = "cr-0123456789abcdef0" }
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
