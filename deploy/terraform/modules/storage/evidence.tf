# Evidence of faults, as the daemon takes it from a node before a repair destroys it. A bucket of
# its own: kernel logs and job lists are nobody's on the compute nodes.

resource "aws_s3_bucket" "evidence" {
  bucket_prefix = "${var.name}-evidence-"

  tags = { Name = "${var.name}-evidence" }
}

resource "aws_s3_bucket_public_access_block" "evidence" {
  bucket                  = aws_s3_bucket.evidence.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# A bundle is written anew when a support case is added to it: nothing is lost by that.
resource "aws_s3_bucket_versioning" "evidence" {
  bucket = aws_s3_bucket.evidence.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "evidence" {
  bucket = aws_s3_bucket.evidence.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# Longer than a support case and the 28 days of the lemon score take.
resource "aws_s3_bucket_lifecycle_configuration" "evidence" {
  bucket = aws_s3_bucket.evidence.id

  rule {
    id     = "old-evidence"
    status = "Enabled"

    filter {}

    expiration {
      days = 180
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
