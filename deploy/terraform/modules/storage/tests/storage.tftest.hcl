mock_provider "aws" {}

variables {
  name               = "prod-a"
  private_subnet_ids = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
  security_group_id  = "sg-efs"
}

run "state_in_every_zone" {
  command = plan
  assert {
    condition     = length(aws_efs_mount_target.state) == 2 && aws_efs_file_system.state[0].encrypted
    error_message = "an encrypted EFS with a mount target in each zone"
  }
}

run "state_on_nfs_needs_no_efs" {
  command = plan
  variables {
    efs = false
  }
  assert {
    condition     = length(aws_efs_file_system.state) == 0 && output.efs_id == ""
    error_message = "no EFS"
  }
}
