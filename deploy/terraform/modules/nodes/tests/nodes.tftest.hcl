mock_provider "aws" {
  mock_data "aws_instances" {
    defaults = { ids = ["i-0123456789abcdef0"], private_ips = ["10.20.16.9"] }
  }
}

variables {
  name                      = "prod-a"
  image_id                  = "ami-0123456789abcdef0"
  public_subnet_id          = "subnet-pub"
  private_subnet_ids        = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
  zones                     = ["us-east-1a", "us-east-1b"]
  cluster_security_group_id = "sg-cluster"
  login_security_group_id   = "sg-login"
  instance_profiles         = { controller = "c", login = "l", storage = "s" }
  compute                   = { gpu-1 = { group = "gpu", template = { id = "lt-1", version = 3 } } }
  tags                      = { Project = "p", Environment = "e", ManagedBy = "terraform" }
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
    condition     = output.fixed["ctl-2"] == { id = "i-0123456789abcdef0", kind = "controller", private_ip = "10.20.16.9", public_ip = "" }
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
