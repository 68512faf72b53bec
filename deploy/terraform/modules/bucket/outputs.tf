output "id" {
  description = "Its name."
  value       = aws_s3_bucket.this.id

  # Who puts something into it, puts it into one that is closed.
  depends_on = [aws_s3_bucket_public_access_block.this, aws_s3_bucket_policy.this]
}

output "arn" {
  description = "The same as an ARN."
  value       = aws_s3_bucket.this.arn
}
