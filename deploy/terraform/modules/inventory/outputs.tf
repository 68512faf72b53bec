output "inventory" {
  description = "Content of inventory.ini."
  value       = local_file.inventory.content
}

output "reconcilerd" {
  description = "The daemon's configuration, as an object."
  value       = var.reconcilerd
}
