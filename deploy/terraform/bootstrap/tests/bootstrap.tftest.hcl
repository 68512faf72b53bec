mock_provider "aws" {}
mock_provider "local" {}

variables {
  cluster_name = "prod-a"
  bucket       = "example-terraform-state"
}

run "state_is_encrypted_versioned_and_locked" {
  command = apply
  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "versioned"
  }
  assert {
    condition     = aws_dynamodb_table.lock.hash_key == "LockID"
    error_message = "the key that Terraform locks by"
  }
  assert {
    condition     = strcontains(local_file.backend.content, "key            = \"prod-a/terraform.tfstate\"")
    error_message = "a key for each cluster: ${local_file.backend.content}"
  }
}

run "a_bucket_name_with_capitals_is_refused" {
  command = plan
  variables {
    bucket = "MyState"
  }
  expect_failures = [var.bucket]
}
