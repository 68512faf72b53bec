# EFS for slurmctld's state (both controllers, two zones), and a bucket for the packages that
# fresh instances install. A single NFS server for the state would take both controllers down
# at once; that is why EFS is the default.

resource "aws_efs_file_system" "state" {
  count = var.efs ? 1 : 0

  creation_token   = "${var.name}-slurm-state"
  encrypted        = true
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"

  tags = { Name = "${var.name}-slurm-state" }
}

resource "aws_efs_backup_policy" "state" {
  count = var.efs ? 1 : 0

  file_system_id = aws_efs_file_system.state[0].id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "state" {
  for_each = var.efs ? var.private_subnet_ids : {}

  file_system_id  = aws_efs_file_system.state[0].id
  subnet_id       = each.value
  security_groups = [var.security_group_id]
}

resource "aws_s3_bucket" "packages" {
  bucket_prefix = "${var.name}-packages-"

  tags = { Name = "${var.name}-packages" }
}

resource "aws_s3_bucket_public_access_block" "packages" {
  bucket                  = aws_s3_bucket.packages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "packages" {
  bucket = aws_s3_bucket.packages.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "packages" {
  bucket = aws_s3_bucket.packages.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "packages" {
  bucket = aws_s3_bucket.packages.id

  rule {
    id     = "old-packages"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# The value is written by the first run of the slurm role, so that it is in no Terraform state.
resource "aws_secretsmanager_secret" "munge" {
  name_prefix             = "${var.name}-munge-"
  description             = "munge key of the Slurm cluster ${var.name}, base64"
  recovery_window_in_days = 7

  tags = { Name = "${var.name}-munge" }
}
