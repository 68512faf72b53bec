mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { id = "prod-a-packages-1", arn = "arn:aws:s3:::prod-a-packages-1" }
  }
}

variables {
  name = "prod-a-packages"
}

run "closed" {
  command = apply
  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "never public"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false" && jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Resource == ["arn:aws:s3:::prod-a-packages-1", "arn:aws:s3:::prod-a-packages-1/*"]
    error_message = "TLS only, the bucket and what is in it"
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "versions, encrypted"
  }
}

run "objects_stay_versions_go" {
  command = plan
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0 && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
    error_message = "what is current is never deleted by default"
  }
}

run "objects_go_too" {
  command = plan
  variables {
    expire_days = 180
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 180
    error_message = "after the days given"
  }
}

run "a_name_that_s3_refuses_is_refused" {
  command = plan
  variables {
    name = "Prod_A"
  }
  expect_failures = [var.name]
}
