output "templates" {
  description = "Zone to template: id, ARN and the newest version."
  value = {
    for zone, template in aws_launch_template.this : zone => {
      id      = template.id
      arn     = template.arn
      version = template.latest_version
    }
  }
}

output "placement_group_arns" {
  description = "Zone to the ARN of its placement group; none where it is not made here."
  value       = { for zone, group in aws_placement_group.this : zone => group.arn }
}

output "efa_cards" {
  description = "Network cards that carry EFA."
  value       = local.efa_cards
}

output "user_data" {
  description = "What a fresh instance of this group runs at its first boot."
  value       = local.user_data
}
