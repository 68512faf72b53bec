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

resource "aws_s3_bucket_policy" "packages" {
  bucket = aws_s3_bucket.packages.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.packages.arn, "${aws_s3_bucket.packages.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.packages]
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

# Values are written by the roles, so that they are in no Terraform state: the munge key by the slurm
# role, the keys that both controllers share (link of the daemons, probe) by the reconciler role.
resource "aws_secretsmanager_secret" "munge" {
  name_prefix             = "${var.name}-munge-"
  description             = "munge key of the Slurm cluster ${var.name}, base64"
  recovery_window_in_days = 7

  tags = { Name = "${var.name}-munge" }
}

resource "aws_secretsmanager_secret" "controller" {
  name_prefix             = "${var.name}-controller-"
  description             = "keys that the controllers of ${var.name} share, for one that is launched anew"
  recovery_window_in_days = 7

  tags = { Name = "${var.name}-controller" }
}
