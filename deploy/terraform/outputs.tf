
output "login_public_ips" {
  description = "Where to sign in."
  value       = [for n in module.nodes.fixed : n.public_ip if n.kind == "login"]
}

output "controller_private_ips" {
  description = "Controllers: ctl-1, ctl-2."
  value       = [for n in module.nodes.fixed : n.private_ip if n.kind == "controller"]
}

output "compute_private_ips" {
  description = "CPU nodes, as they are now."
  value       = [for n in module.nodes.compute : n.private_ip if n.group == "cpu"]
}

output "gpu_compute_private_ips" {
  description = "GPU nodes, as they are now."
  value       = [for n in module.nodes.compute : n.private_ip if n.group == "gpu"]
}

output "slurm_db_endpoint" {
  description = "host:port of the accounting database."
  value       = module.database.endpoint
}

output "slurm_db_secret_arn" {
  description = "Secret of its user and password."
  value       = module.database.secret_arn
}

output "event_queue_url" {
  description = "Queue that the daemon reads."
  value       = module.events.queue_url
}

output "lease_table" {
  description = "DynamoDB table of the lease."
  value       = module.events.lease_table
}

output "incidents_table" {
  description = "DynamoDB table of incidents."
  value       = module.events.incidents_table
}

output "people_topic_arn" {
  description = "SNS topic of what needs a person."
  value       = module.events.people_topic_arn
}

output "packages_bucket" {
  description = "Bucket for slurm-on-aws-node.deb."
  value       = module.storage.packages_bucket
}

output "evidence_bucket" {
  description = "Bucket of the evidence of faults; bundles are below forensics/."
  value       = module.storage.evidence_bucket
}

output "launch_templates" {
  description = "Group and zone to launch template."
  value       = merge({ for group, m in module.launch_templates : group => m.templates }, { ctl = local.templates_of_controllers })
}

output "daemons_instances" {
  description = "Resource addresses that hand-over.sh leaves to the daemon, one a line."
  value = join("\n", concat(
    [for name in keys(local.compute) : "module.nodes.aws_instance.compute[\"${name}\"]"],
    [for name in local.controller_names : "module.nodes.aws_instance.fixed[\"${name}\"]" if local.relaunch_controllers],
    [for tag in setproduct(local.controller_names, concat(keys(local.tags), ["Name"])) : "module.nodes.aws_ec2_tag.interface[\"${join("/", tag)}\"]" if local.relaunch_controllers],
  ))
}

output "reconcilerd" {
  description = "The daemon's configuration, as rendered for Ansible."
  value       = local.reconcilerd
}
