output "efs_id" {
  description = "EFS of slurmctld's state, \"\" when there is none."
  value       = try(aws_efs_file_system.state[0].id, "")
}

output "efs_dns_name" {
  description = "Its name to mount, \"\" when there is none."
  value       = try(aws_efs_file_system.state[0].dns_name, "")
}

output "packages_bucket" {
  description = "Bucket of the packages that fresh instances install."
  value       = module.packages.id
}

output "packages_bucket_arn" {
  description = "The same as an ARN."
  value       = module.packages.arn
}

output "munge_secret_arn" {
  description = "Secret of the munge key."
  value       = aws_secretsmanager_secret.munge.arn
}

output "evidence_bucket" {
  description = "Bucket of the evidence of faults."
  value       = module.evidence.id
}

output "evidence_bucket_arn" {
  description = "The same as an ARN."
  value       = module.evidence.arn
}

output "controller_secret_arn" {
  description = "Secret of the keys that the controllers share."
  value       = aws_secretsmanager_secret.controller.arn
}
