# Makes the bucket and the lock table of the remote state, once, before the cluster, and writes
# ../backend.hcl. Its own state is a local file: it can be imported again from the two names.

terraform {
  required_version = ">= 1.10.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.69.1"
    }
    local = {
      source  = "hashicorp/local"
      version = "2.9.1"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = "slurm-on-aws"
      Environment = "shared"
      ManagedBy   = "terraform"
    }
  }
}

variable "region" {
  description = "Region of the state bucket."
  type        = string
  default     = "us-east-1"
}

variable "cluster_name" {
  description = "Cluster whose state it is: the key of the state."
  type        = string

  validation {
    condition     = length(var.cluster_name) <= 25 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.cluster_name))
    error_message = "cluster_name must be 1 to 25 small letters, digits and single dashes between them, beginning with a letter, such as prod-a."
  }
}

variable "bucket" {
  description = "Name of the bucket, unique in all of AWS, such as mycompany-terraform-state."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be an S3 bucket name: 3 to 63 small letters, digits, dots and dashes. It must be unique in all of AWS: put your company's name in front."
  }
}

resource "aws_s3_bucket" "state" {
  bucket = var.bucket

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
    bucket_key_enabled = true
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "old-states"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 365
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_dynamodb_table" "lock" {
  name         = "${var.bucket}-lock"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "LockID"

  attribute {
    name = "LockID"
    type = "S"
  }
  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled = true
  }
}

resource "local_file" "backend" {
  filename        = "${path.module}/../backend.hcl"
  file_permission = "0644"
  content         = <<-HCL
    bucket         = "${aws_s3_bucket.state.id}"
    key            = "${var.cluster_name}/terraform.tfstate"
    region         = "${var.region}"
    dynamodb_table = "${aws_dynamodb_table.lock.name}"
    use_lockfile   = true
    encrypt        = true
  HCL
}

output "backend_hcl" {
  description = "What was written to ../backend.hcl."
  value       = local_file.backend.content
}
