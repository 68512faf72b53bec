output "instance_profiles" {
  description = "Kind of node (controller, compute, login, storage) to instance profile name."
  value       = { for kind, profile in aws_iam_instance_profile.this : kind => profile.name }
}

output "instance_profile_arns" {
  description = "The same as ARNs."
  value       = { for kind, profile in aws_iam_instance_profile.this : kind => profile.arn }
}

output "policies" {
  description = "kind/purpose to its policy, JSON: what tests and auditors read."
  value       = { for key, policy in aws_iam_role_policy.this : key => policy.policy }
}
