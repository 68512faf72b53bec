output "endpoint" {
  description = "host:port of MySQL."
  value       = aws_db_instance.this.endpoint
}

output "address" {
  description = "Host name of MySQL."
  value       = aws_db_instance.this.address
}

output "identifier" {
  description = "RDS identifier, for alarms."
  value       = aws_db_instance.this.identifier
}

output "secret_arn" {
  description = "Secret with user name and password, made and rotated by RDS."
  value       = try(aws_db_instance.this.master_user_secret[0].secret_arn, "")
}
