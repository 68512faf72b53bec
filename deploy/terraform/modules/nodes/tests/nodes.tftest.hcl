mock_provider "aws" {
  mock_data "aws_instances" {
    defaults = { ids = ["i-0123456789abcdef0"], private_ips = ["10.20.16.9"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
}

variables {
  name                          = "prod-a"
  image_id                      = "ami-0123456789abcdef0"
  public_subnet_id              = "subnet-pub"
  private_subnet_ids            = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
  zones                         = ["us-east-1a", "us-east-1b"]
  cluster_security_group_id     = "sg-cluster"
  login_security_group_id       = "sg-login"
  controllers_security_group_id = "sg-controllers"
  instance_profiles             = { controller = "c", login = "l", storage = "s" }
  compute                       = { gpu-1 = { group = "gpu", template = { id = "lt-1", version = 3 } } }
  tags                          = { Project = "p", Environment = "e", ManagedBy = "terraform" }
}

run "counts" {
  command = plan
  assert {
    condition     = keys(aws_instance.fixed) == ["ctl-1", "ctl-2", "gluster-1", "gluster-2", "gluster-3", "login-1", "nfs-1"]
    error_message = "one login, two controllers, one NFS, three GlusterFS"
  }
  assert {
    condition     = alltrue([for name in ["gluster-1", "gluster-2", "gluster-3"] : aws_ebs_volume.data[name].size == 20 && aws_ebs_volume.data[name].type == "gp3"])
    error_message = "20 GB gp3 each"
  }
  assert {
    condition     = alltrue([for v in aws_ebs_volume.data : v.final_snapshot && v.encrypted]) && alltrue([for a in aws_volume_attachment.data : a.stop_instance_before_detaching])
    error_message = "a volume is let go by a stopped instance, and leaves a last snapshot"
  }
}

run "interfaces_carry_the_tags" {
  command = plan
  assert {
    condition     = { for key, t in aws_ec2_tag.interface : t.key => t.value if startswith(key, "ctl-2/") } == { Name = "prod-a-ctl-2", Project = "p", Environment = "e", ManagedBy = "terraform" }
    error_message = "of a controller"
  }
  assert {
    condition     = length(aws_ec2_tag.interface) == 4 * length(aws_instance.fixed)
    error_message = "of every server"
  }
}

run "a_server_that_is_made_again_keeps_its_volume" {
  command = plan
  assert {
    # Known before any instance is: an instance that is replaced does not take the volume with it.
    condition     = { for name, v in aws_ebs_volume.data : name => v.availability_zone } == { gluster-1 = "us-east-1a", gluster-2 = "us-east-1b", gluster-3 = "us-east-1a", nfs-1 = "us-east-1a" }
    error_message = "the zone of the subnet, by name"
  }
}

run "data_is_snapshotted_every_night" {
  command = plan
  assert {
    condition     = aws_dlm_lifecycle_policy.data["snapshots"].policy_details[0].schedule[0].retain_rule[0].count == 7 && aws_dlm_lifecycle_policy.data["snapshots"].policy_details[0].schedule[0].copy_tags
    error_message = "a week of nights, with the tag by which they may be deleted"
  }
  assert {
    condition     = aws_dlm_lifecycle_policy.data["snapshots"].policy_details[0].target_tags["slurm-on-aws:data"] == "prod-a" && alltrue([for v in aws_ebs_volume.data : v.tags["slurm-on-aws:data"] == "prod-a"])
    error_message = "the policy finds every data volume of this cluster by its tag"
  }
  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.snapshots["snapshots"].policy).Statement : s.Condition.StringEquals["aws:ResourceTag/slurm-on-aws:data"] == "prod-a" if contains(["OfOurVolumes", "EndOurs"], s.Sid)])
    error_message = "its role may neither copy nor delete what is not this cluster's"
  }
}

run "snapshots_can_be_left_out" {
  command = plan
  variables {
    snapshot_days = 0
  }
  assert {
    condition     = length(aws_dlm_lifecycle_policy.data) == 0 && length(aws_iam_role.snapshots) == 0
    error_message = "neither policy nor role"
  }
}

run "no_storage_no_snapshots" {
  command = plan
  variables {
    nfs     = { count = 0 }
    gluster = { count = 0 }
  }
  assert {
    condition     = length(aws_dlm_lifecycle_policy.data) == 0 && length(aws_ebs_volume.data) == 0
    error_message = "nothing to copy"
  }
}

run "controllers_reach_database_and_state" {
  command = plan
  assert {
    condition     = alltrue([for name, i in aws_instance.fixed : contains(i.vpc_security_group_ids, "sg-controllers") == startswith(name, "ctl-")])
    error_message = "they, and nobody else"
  }
}

run "controllers_in_two_zones_can_be_fenced" {
  command = plan
  assert {
    condition     = aws_instance.fixed["ctl-1"].subnet_id == "subnet-a" && aws_instance.fixed["ctl-2"].subnet_id == "subnet-b"
    error_message = "two zones"
  }
  assert {
    condition     = alltrue([for c in ["ctl-1", "ctl-2"] : aws_instance.fixed[c].disable_api_termination && !aws_instance.fixed[c].disable_api_stop])
    error_message = "protected from termination, not from being stopped: stopping is how a controller is fenced"
  }
  assert {
    condition     = aws_instance.fixed["ctl-1"].tags["slurm-on-aws:node"] == "ctl-1" && aws_instance.fixed["ctl-1"].tags["slurm-on-aws:role"] == "controller"
    error_message = "the daemon finds the controllers by their tags"
  }
  assert {
    condition     = alltrue([for n in ["login-1", "nfs-1", "gluster-1"] : !contains(keys(aws_instance.fixed[n].tags), "slurm-on-aws:cluster")])
    error_message = "nothing else is the daemon's to touch"
  }
}

run "only_login_has_a_public_address" {
  command = plan
  assert {
    condition     = alltrue([for name, i in aws_instance.fixed : i.associate_public_ip_address == (name == "login-1")])
    error_message = "login only"
  }
  assert {
    condition     = keys(aws_eip.login) == ["login-1"]
    error_message = "an address that outlives a stop"
  }
  assert {
    condition     = alltrue([for i in aws_instance.fixed : i.metadata_options[0].http_tokens == "required"])
    error_message = "IMDSv2"
  }
}

run "first_launch_carries_the_daemons_tags" {
  command = plan
  assert {
    condition     = aws_instance.compute["gpu-1"].tags["slurm-on-aws:node"] == "gpu-1" && aws_instance.compute["gpu-1"].tags["slurm-on-aws:cluster"] == "prod-a"
    error_message = "cluster and node tags"
  }
}

run "after_the_hand_over_terraform_launches_nothing" {
  command = plan
  variables {
    launch_compute     = false
    launch_controllers = false
  }
  assert {
    condition     = length(aws_instance.compute) == 0 && length(data.aws_instances.compute) == 1
    error_message = "it only looks"
  }
  assert {
    condition     = keys(aws_instance.fixed) == ["gluster-1", "gluster-2", "gluster-3", "login-1", "nfs-1"]
    error_message = "the controllers are the daemon's too"
  }
  assert {
    condition     = output.fixed["ctl-2"] == { id = "i-0123456789abcdef0", kind = "controller", private_ip = "10.20.16.9", public_ip = "", data_volume = "" }
    error_message = "they are still in the inventory, where they are now"
  }
}

run "a_controller_that_is_away_stays_in_slurm_conf" {
  command = plan
  variables {
    launch_controllers = false
  }
  override_data {
    target = data.aws_instances.controller
    values = { ids = [], private_ips = [] }
  }
  expect_failures = [data.aws_instances.controller]
}

run "one_controller_is_refused" {
  command = plan
  variables {
    controller = { count = 1 }
  }
  expect_failures = [var.controller]
}

run "gluster_in_the_zone_of_the_jobs" {
  command = plan
  variables {
    gluster = { zones = ["us-east-1b"] }
  }
  assert {
    condition     = alltrue([for n in ["gluster-1", "gluster-2", "gluster-3"] : aws_instance.fixed[n].subnet_id == "subnet-b"])
    error_message = "all three there"
  }
}

run "gluster_elsewhere_is_refused" {
  command = plan
  variables {
    gluster = { zones = ["us-east-1c"] }
  }
  expect_failures = [var.gluster]
}

run "an_old_type_is_refused" {
  command = plan
  variables {
    nfs = { type = "t2.small" }
  }
  expect_failures = [aws_instance.fixed]
}

run "an_arm_type_is_refused" {
  command = plan
  variables {
    gluster = { type = "m7g.large" }
  }
  expect_failures = [aws_instance.fixed]
}
