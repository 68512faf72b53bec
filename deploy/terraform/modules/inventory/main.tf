# What Ansible needs: who is who, and the facts that only Terraform knows. These files are made
# anew with every apply; own variables belong into other files of group_vars.

locals {
  kinds = {
    login       = [for name, n in var.fixed : name if n.kind == "login"]
    controllers = [for name, n in var.fixed : name if n.kind == "controller"]
    nfs         = [for name, n in var.fixed : name if startswith(name, "nfs-")]
    gluster     = [for name, n in var.fixed : name if startswith(name, "gluster-")]
  }
  # Groups of compute nodes: gpu -> [gpu-1, gpu-2]. A node that has no instance just now is left out.
  groups = { for name, n in var.compute : n.group => name... if n.private_ip != "" }
  jump   = try(var.fixed[local.kinds.login[0]].public_ip, "")
}

resource "local_file" "inventory" {
  filename        = "${var.directory}/inventory.ini"
  file_permission = "0644"
  content = templatefile("${path.module}/files/inventory.ini.tftpl", {
    fixed    = var.fixed
    compute  = var.compute
    kinds    = local.kinds
    groups   = local.groups
    jump     = local.jump
    ssh_user = var.ssh_user
  })
}

resource "local_file" "cluster" {
  filename        = "${var.directory}/group_vars/all/terraform.json"
  file_permission = "0644"
  content         = jsonencode(var.cluster)
}

resource "local_file" "reconcilerd" {
  filename        = "${var.directory}/group_vars/all/reconcilerd.json"
  file_permission = "0644"
  content         = jsonencode({ reconcilerd_config = var.reconcilerd })
}
