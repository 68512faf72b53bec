locals {
  compute = merge(
    { for name, i in aws_instance.compute : name => { id = i.id, private_ip = i.private_ip } },
    { for name, found in data.aws_instances.compute : name => {
      # "" while the daemon is replacing the node.
      id         = try(found.ids[0], "")
      private_ip = try(found.private_ips[0], "")
    } },
  )
}

output "fixed" {
  description = "Name of a fixed node to its instance: id, kind, private_ip, public_ip, data_volume."
  value = merge(
    { for name, i in aws_instance.fixed : name => {
      id         = i.id
      kind       = local.fixed[name].kind
      private_ip = i.private_ip
      public_ip  = local.fixed[name].kind == "login" ? aws_eip.login[name].public_ip : ""
      # Its id is the volume's serial number: how the roles find the device, whatever Linux calls it.
      data_volume = try(aws_ebs_volume.data[name].id, "")
    } },
    { for name, found in data.aws_instances.controller : name => {
      id         = found.ids[0]
      kind       = "controller"
      private_ip = found.private_ips[0]
      public_ip  = ""

      data_volume = ""
    } },
  )
}

output "compute" {
  description = "Name of a compute node to its present instance: group, id, private_ip."
  value       = { for name, c in local.compute : name => merge(c, { group = var.compute[name].group }) }
}
