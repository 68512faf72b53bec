# What the daemon launches from: one template for each zone of a group, or of the controllers. A
# template is pinned by its version in the daemon's configuration, so a change here takes effect when
# that file has been rolled out, never in the middle of a repair.

locals {
  is_controller = var.role == "controller"

  # Of the types that have several; each must carry EFA.
  network_cards = { "p4d.24xlarge" = 4, "p4de.24xlarge" = 4, "p5.48xlarge" = 32, "p5e.48xlarge" = 32, "p5en.48xlarge" = 16 }
  efa_cards     = var.efa_cards != null ? var.efa_cards : lookup(local.network_cards, var.instance_type, 0)

  interfaces = local.efa_cards == 0 ? [{ card = 0, device = 0, type = null }] : [
    # Device 0 of card 0 is the primary one, also for plain traffic; the other cards carry EFA
    # as device 1.
    for card in range(local.efa_cards) : { card = card, device = card == 0 ? 0 : 1, type = "efa" }
  ]

  user_data = templatefile("${path.module}/files/user-data.yaml.tftpl", {
    join_env = <<-ENV
      RC_CLUSTER=${var.name}
      RC_REGION=${var.join.region}
      RC_CONTROLLERS=${join(",", var.join.controllers)}
      RC_MUNGE_SECRET=${var.join.munge_secret_arn}
      RC_PACKAGES_BUCKET=${var.join.packages_bucket}
      RC_CONTROLLER_SECRET=${var.join.controller_secret_arn}
      RC_SCRATCH=${var.join.scratch}
      RC_WATCH_OPTIONS="${trimspace("${var.join.gpus > 0 ? "--gpus ${var.join.gpus}" : ""} ${local.efa_cards > 0 ? "--efas ${local.efa_cards}" : ""}")}"
    ENV
    join = join("\n", [
      file("${path.module}/files/join-common.sh"),
      file("${path.module}/files/join-${local.is_controller ? "controller" : "node"}.sh"),
    ])
  })
}

# A cluster placement group is in one zone: one for each, where none is given.
resource "aws_placement_group" "this" {
  for_each = var.placement_group && var.placement_group_name == "" ? var.subnets : {}

  name     = "${var.name}-${var.group}-${each.key}"
  strategy = "cluster"

  tags = { Name = "${var.name}-${var.group}-${each.key}" }
}

resource "aws_launch_template" "this" {
  for_each = var.subnets

  name        = "${var.name}-${var.group}-${each.key}"
  description = "${local.is_controller ? "controllers" : "${var.group} nodes"} of ${var.name} in ${each.key}"

  image_id      = var.image_id
  instance_type = var.instance_type
  key_name      = var.key_name == "" ? null : var.key_name
  ebs_optimized = true
  user_data     = base64encode(local.user_data)

  # Termination protection keeps a controller's remains; stop protection would block its fencing.
  disable_api_termination = local.is_controller
  disable_api_stop        = false

  update_default_version = true

  iam_instance_profile {
    arn = var.instance_profile_arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    # The node's name is a tag; a fresh instance reads it without any permission.
    instance_metadata_tags = "enabled"
  }

  monitoring {
    enabled = true
  }

  dynamic "network_interfaces" {
    for_each = local.interfaces

    content {
      description           = "${var.group} card ${network_interfaces.value.card}"
      device_index          = network_interfaces.value.device
      network_card_index    = network_interfaces.value.card
      interface_type        = network_interfaces.value.type
      subnet_id             = each.value
      security_groups       = var.security_group_ids
      delete_on_termination = true
    }
  }

  block_device_mappings {
    device_name = var.root_device

    ebs {
      volume_type           = "gp3"
      volume_size           = var.root_gb
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "placement" {
    for_each = !var.placement_group ? [] : [
      var.placement_group_name != "" ? var.placement_group_name : aws_placement_group.this[each.key].name
    ]

    content {
      group_name = placement.value
    }
  }

  dynamic "capacity_reservation_specification" {
    for_each = var.capacity.kind == "open" ? [] : [var.capacity.reservation_id]

    content {
      capacity_reservation_target {
        capacity_reservation_id = capacity_reservation_specification.value
      }
    }
  }

  dynamic "instance_market_options" {
    for_each = var.spot ? ["spot"] : var.capacity.kind == "block" ? ["capacity-block"] : []

    content {
      market_type = instance_market_options.value
    }
  }

  dynamic "tag_specifications" {
    # EC2 refuses tags of a spot request where none is made.
    for_each = toset(concat(["instance", "volume", "network-interface"], var.spot ? ["spot-instances-request"] : []))

    content {
      resource_type = tag_specifications.value
      tags = merge(var.tags, {
        Name                   = "${var.name}-${var.group}"
        "slurm-on-aws:cluster" = var.name
        "slurm-on-aws:role"    = var.role
      })
    }
  }

  tags = { Name = "${var.name}-${var.group}-${each.key}" }
}
