# The instances. Login, NFS and GlusterFS are Terraform's for life. Controllers and compute nodes are
# launched by Terraform once; after the hand-over the daemon replaces them, and Terraform only looks
# at what is there.

locals {
  gluster_zones = length(var.gluster.zones) > 0 ? var.gluster.zones : var.zones

  controllers = [for i in range(var.controller.count) : "ctl-${i + 1}"]

  # Termination protection keeps the state; stop protection would block fencing, so there is none.
  fixed = merge(
    { for i in range(var.login.count) : "login-${i + 1}" => {
      kind   = "login", type = var.login.type, subnet = var.public_subnet_id, zone = var.zones[0], protected = false
      groups = [var.cluster_security_group_id, var.login_security_group_id]
    } },
    { for i, name in local.controllers : name => {
      kind   = "controller", type = var.controller.type, protected = true
      zone   = var.zones[i % length(var.zones)]
      subnet = var.private_subnet_ids[var.zones[i % length(var.zones)]]
      groups = [var.cluster_security_group_id, var.controllers_security_group_id]
    } if var.launch_controllers },
    { for i in range(var.nfs.count) : "nfs-${i + 1}" => {
      kind   = "storage", type = var.nfs.type, protected = true
      zone   = var.zones[0]
      subnet = var.private_subnet_ids[var.zones[0]]
      groups = [var.cluster_security_group_id]
    } },
    { for i in range(var.gluster.count) : "gluster-${i + 1}" => {
      kind   = "storage", type = var.gluster.type, protected = true
      zone   = local.gluster_zones[i % length(local.gluster_zones)]
      subnet = var.private_subnet_ids[local.gluster_zones[i % length(local.gluster_zones)]]
      groups = [var.cluster_security_group_id]
    } },
  )

  # Tags of each one's network interface, which an instance cannot give it.
  interface_tags = merge([for node in keys(local.fixed) : {
    for key, value in merge(var.tags, { Name = "${var.name}-${node}" }) : "${node}/${key}" => { node = node, key = key, value = value }
  }]...)

  data_volumes = merge(
    { for i in range(var.nfs.count) : "nfs-${i + 1}" => var.nfs.data_gb },
    { for i in range(var.gluster.count) : "gluster-${i + 1}" => var.gluster.brick_gb },
  )
}

resource "aws_instance" "fixed" {
  for_each = local.fixed

  ami                         = var.image_id
  instance_type               = each.value.type
  key_name                    = var.key_name == "" ? null : var.key_name
  subnet_id                   = each.value.subnet
  vpc_security_group_ids      = each.value.groups
  iam_instance_profile        = var.instance_profiles[each.value.kind]
  associate_public_ip_address = each.value.kind == "login"
  ebs_optimized               = true
  monitoring                  = true
  disable_api_termination     = each.value.protected
  disable_api_stop            = false

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 40
    encrypted   = true
    tags        = merge(var.tags, { Name = "${var.name}-${each.key}" })
  }

  # The daemon sees the controllers among its instances: it may stop and start them (fencing), IAM
  # forbids it to end them, and its node repairs leave them alone, being of no group.
  tags = merge(var.tags, {
    Name                = "${var.name}-${each.key}"
    "slurm-on-aws:role" = each.value.kind
    }, each.value.kind != "controller" ? {} : {
    "slurm-on-aws:cluster" = var.name
    "slurm-on-aws:node"    = each.key
  })

  lifecycle {
    # Neither a newer AMI of the same name nor another key of the operator may replace a server.
    ignore_changes = [ami, key_name, user_data]

    precondition {
      condition     = !can(regex("^(t1|t2|m[1-4]|c[1-4]|r[34])\\.", each.value.type))
      error_message = "${each.key}: ${each.value.type} is of a generation before Nitro, which is not EBS-optimised by default and has no NVMe volumes. Choose t3.small or newer."
    }
    precondition {
      condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", each.value.type))
      error_message = "${each.key}: ${each.value.type} is an ARM (Graviton) type; images and packages are for x86_64. Choose its sibling, such as t3.small for t4g.small, m7i or m7a for m7g."
    }
  }
}

resource "aws_ec2_tag" "interface" {
  for_each = local.interface_tags

  resource_id = aws_instance.fixed[each.value.node].primary_network_interface_id
  key         = each.value.key
  value       = each.value.value
}

# What users and ssh's known_hosts know must outlive a stop of the login node.
resource "aws_eip" "login" {
  for_each = { for name, node in local.fixed : name => node if node.kind == "login" }

  domain   = "vpc"
  instance = aws_instance.fixed[each.key].id

  tags = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_ebs_volume" "data" {
  for_each = local.data_volumes

  # By name, not from the instance: one that is made again would take its volume with it.
  availability_zone = local.fixed[each.key].zone
  size              = each.value
  type              = "gp3"
  encrypted         = true
  # Whatever destroys it, on purpose or by a changed zone: the files are in a last snapshot.
  final_snapshot = true

  tags = merge(var.tags, { Name = "${var.name}-${each.key}-data", (local.data_tag) = var.name })
}

resource "aws_volume_attachment" "data" {
  for_each = local.data_volumes

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data[each.key].id
  instance_id = aws_instance.fixed[each.key].id
  # A volume that is mounted is not let go: a tear-down would hang.
  stop_instance_before_detaching = true
}

resource "aws_instance" "compute" {
  #checkov:skip=CKV_AWS_8:the launch template encrypts the volumes
  #checkov:skip=CKV_AWS_79:the launch template requires IMDSv2
  #checkov:skip=CKV_AWS_126:the launch template switches detailed monitoring on
  #checkov:skip=CKV_AWS_135:the launch template says so
  #checkov:skip=CKV2_AWS_41:the launch template names the instance profile
  for_each = var.launch_compute ? var.compute : {}

  launch_template {
    id      = each.value.template.id
    version = each.value.template.version
  }

  tags = merge(var.tags, {
    Name                   = "${var.name}-${each.key}"
    "slurm-on-aws:role"    = "compute"
    "slurm-on-aws:cluster" = var.name
    "slurm-on-aws:node"    = each.key
  })

  lifecycle {
    # Their life is the daemon's; a new template version is for its next replacement.
    ignore_changes = all
  }
}

# After the hand-over: what is there now, by the tags that the daemon sets.
data "aws_instances" "controller" {
  for_each = var.launch_controllers ? toset([]) : toset(local.controllers)

  instance_tags = {
    "slurm-on-aws:cluster" = var.name
    "slurm-on-aws:node"    = each.key
  }
  instance_state_names = ["pending", "running"]

  lifecycle {
    # Without it the inventory, and slurm.conf after it, would lose a controller.
    postcondition {
      condition     = length(self.ids) == 1
      error_message = "${each.key} has ${length(self.ids)} running instances, not one: wait until the daemon has brought it back (reconcilectl status on the other controller), then apply again."
    }
  }
}

data "aws_instances" "compute" {
  for_each = var.launch_compute ? {} : var.compute

  instance_tags = {
    "slurm-on-aws:cluster" = var.name
    "slurm-on-aws:node"    = each.key
  }
  instance_state_names = ["pending", "running"]
}
