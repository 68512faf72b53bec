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
  assert {
    condition     = aws_s3_bucket_public_access_block.packages.block_public_policy && aws_s3_bucket_public_access_block.packages.restrict_public_buckets
    error_message = "the bucket is not public"
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.evidence.block_public_policy && aws_s3_bucket_public_access_block.evidence.restrict_public_buckets
    error_message = "evidence is not public"
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
