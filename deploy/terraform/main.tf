# The whole cluster. README.md beside this file says how to apply it.

locals {
  tags = {
    Project     = var.project
    Environment = var.environment
    ManagedBy   = "terraform"
  }

  images = {
    "ubuntu-24.04" = { parameter = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", user = "ubuntu", root = "/dev/sda1" }
    "debian-12"    = { parameter = "/aws/service/debian/release/12/latest/amd64", user = "admin", root = "/dev/xvda" }
    "debian-13"    = { parameter = "/aws/service/debian/release/13/latest/amd64", user = "admin", root = "/dev/xvda" }
  }
  image    = local.images[var.os]
  image_id = var.ami_id != "" ? var.ami_id : data.aws_ssm_parameter.image.insecure_value

  network = var.existing_network != null ? var.existing_network : {
    vpc_id             = module.network[0].vpc_id
    public_subnet_id   = module.network[0].public_subnet_id
    private_subnet_ids = module.network[0].private_subnet_ids
  }

  # A group without nodes has no template either: its type need not exist in the region.
  groups = { for group, g in local.all_groups : group => g if g.count > 0 }
  all_groups = {
    cpu = {
      count     = var.cpu.count, type = var.cpu.type, efa_cards = 0, root_gb = var.cpu.root_gb, sockets = var.cpu.sockets
      zones     = length(var.cpu.zones) > 0 ? var.cpu.zones : [var.availability_zones[0]]
      image     = var.cpu.ami_id != "" ? var.cpu.ami_id : local.image_id
      placement = var.cpu.placement_group, placement_name = "", spot = var.cpu.spot
    }
    gpu = {
      count     = var.gpu.count, type = var.gpu.type, efa_cards = var.gpu.efa_cards, root_gb = var.gpu.root_gb, sockets = var.gpu.sockets
      zones     = length(var.gpu.zones) > 0 ? var.gpu.zones : [var.availability_zones[0]]
      image     = var.gpu.ami_id != "" ? var.gpu.ami_id : local.image_id
      placement = var.gpu.placement_group && var.gpu_capacity.kind != "block" # a block brings its own
      spot      = false, placement_name = var.gpu.placement_group_name != null ? var.gpu.placement_group_name : ""
    }
  }

  # Apart from the groups: a reservation made here is in the placement group of its group.
  capacity = {
    cpu = { kind = "open", reservation_id = "" }
    gpu = {
      kind           = var.gpu_capacity.kind
      reservation_id = var.gpu_capacity.create ? aws_ec2_capacity_reservation.gpu[0].id : var.gpu_capacity.reservation_id
    }
  }

  compute = merge([
    for group, g in local.groups : {
      for i in range(g.count) : "${group}-${i + 1}" => {
        group    = group
        template = module.launch_templates[group].templates[g.zones[0]]
      }
    }
  ]...)

  controller_names = [for i in range(var.controller.count) : "ctl-${i + 1}"]

  # The daemon relaunches controllers where both run it; with state in files they stay Terraform's.
  relaunch_controllers = var.daemon_state == "dynamodb"

  templates_of_controllers = local.relaunch_controllers ? module.controller_templates[0].templates : {}
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

data "aws_ssm_parameter" "image" {
  name = local.image.parameter
}

# Slurm must be told what a node has, before the first one is there.
data "aws_ec2_instance_type" "compute" {
  for_each = toset([for g in local.groups : g.type])

  instance_type = each.key
}

resource "aws_key_pair" "operator" {
  key_name_prefix = "${var.cluster_name}-"
  public_key      = var.ssh_public_key
}

resource "aws_ec2_capacity_reservation" "gpu" {
  count = var.gpu_capacity.create ? 1 : 0

  instance_type           = var.gpu.type
  instance_platform       = "Linux/UNIX"
  availability_zone       = local.groups.gpu.zones[0]
  instance_count          = var.gpu.count
  instance_match_criteria = "targeted"
  # Slots close to one another: the nodes are launched into this group.
  placement_group_arn = !var.gpu.placement_group ? null : (
    var.gpu.placement_group_name != null ? "${local.ec2_arn}:placement-group/${var.gpu.placement_group_name}" :
    module.launch_templates["gpu"].placement_group_arns[local.groups.gpu.zones[0]]
  )

  tags = { Name = "${var.cluster_name}-gpu" }
}

module "network" {
  source = "./modules/network"
  count  = var.existing_network == null ? 1 : 0

  name                 = var.cluster_name
  vpc_cidr             = var.vpc_cidr
  availability_zones   = var.availability_zones
  public_subnet_cidr   = var.public_subnet_cidr
  nat_subnet_cidrs     = var.nat_subnet_cidrs
  private_subnet_cidrs = var.private_subnet_cidrs
}

module "security" {
  source = "./modules/security"

  name      = var.cluster_name
  vpc_id    = local.network.vpc_id
  ssh_cidrs = var.ssh_cidrs
}

module "storage" {
  source = "./modules/storage"

  name               = var.cluster_name
  efs                = var.state_on == "efs"
  private_subnet_ids = local.network.private_subnet_ids
  security_group_id  = module.security.efs_id
}

module "database" {
  source = "./modules/database"

  name                = var.cluster_name
  subnet_ids          = values(local.network.private_subnet_ids)
  security_group_id   = module.security.database_id
  instance_class      = var.database.class
  engine_version      = var.database.engine_version
  storage_gb          = var.database.storage_gb
  multi_az            = var.database.multi_az
  backup_days         = var.database.backup_days
  deletion_protection = var.database.deletion_protection
}

module "events" {
  source = "./modules/events"

  name          = var.cluster_name
  notify_emails = var.notify_emails
}

module "iam" {
  source = "./modules/iam"

  name                  = var.cluster_name
  queue_arn             = module.events.queue_arn
  lease_table_arn       = var.daemon_state == "dynamodb" ? module.events.table_arns["lease"] : ""
  incidents_table_arn   = var.daemon_state == "dynamodb" ? module.events.table_arns["incidents"] : ""
  munge_secret_arn      = module.storage.munge_secret_arn
  database_secret_arn   = module.database.secret_arn
  packages_bucket_arn   = module.storage.packages_bucket_arn
  evidence_arn          = "${module.storage.evidence_bucket_arn}/${local.evidence_prefix}"
  controller_secret_arn = module.storage.controller_secret_arn
  controller_names      = local.controller_names
  relaunch_controllers  = local.relaunch_controllers
  launch_template_arns = concat(
    flatten([for group in module.launch_templates : [for t in group.templates : t.arn]]),
    [for t in local.templates_of_controllers : t.arn],
  )
  subnet_arns         = [for id in values(local.network.private_subnet_ids) : "${local.ec2_arn}:subnet/${id}"]
  security_group_arns = [for id in [module.security.cluster_id, module.security.controllers_id] : "${local.ec2_arn}:security-group/${id}"]
  ssm                 = var.ssm
}

module "launch_templates" {
  source   = "./modules/launch_templates"
  for_each = local.groups

  name                 = var.cluster_name
  group                = each.key
  instance_type        = each.value.type
  efa_cards            = each.value.efa_cards
  image_id             = each.value.image
  root_device          = local.image.root
  root_gb              = each.value.root_gb
  subnets              = { for zone in each.value.zones : zone => local.network.private_subnet_ids[zone] }
  security_group_ids   = [module.security.cluster_id]
  instance_profile_arn = module.iam.instance_profile_arns["compute"]
  key_name             = aws_key_pair.operator.key_name
  placement_group      = each.value.placement
  placement_group_name = each.value.placement_name
  spot                 = each.value.spot
  capacity             = local.capacity[each.key]
  tags                 = local.tags
  join = {
    region           = var.region
    controllers      = local.controller_names
    munge_secret_arn = module.storage.munge_secret_arn
    packages_bucket  = module.storage.packages_bucket
    scratch          = var.scratch
    gpus             = each.key == "gpu" ? local.gpus[each.value.type].count : 0
  }
}

# For a controller in the place of a lost one: any zone, its own is tried first.
module "controller_templates" {
  source = "./modules/launch_templates"
  count  = local.relaunch_controllers ? 1 : 0

  name                 = var.cluster_name
  group                = "ctl"
  role                 = "controller"
  instance_type        = var.controller.type
  image_id             = local.image_id
  root_device          = local.image.root
  subnets              = local.network.private_subnet_ids
  security_group_ids   = [module.security.cluster_id, module.security.controllers_id]
  instance_profile_arn = module.iam.instance_profile_arns["controller"]
  key_name             = aws_key_pair.operator.key_name
  placement_group      = false
  tags                 = local.tags
  join = {
    region                = var.region
    controllers           = local.controller_names
    munge_secret_arn      = module.storage.munge_secret_arn
    packages_bucket       = module.storage.packages_bucket
    controller_secret_arn = module.storage.controller_secret_arn
  }
}

module "nodes" {
  source = "./modules/nodes"

  name                          = var.cluster_name
  image_id                      = local.image_id
  root_device                   = local.image.root
  key_name                      = aws_key_pair.operator.key_name
  public_subnet_id              = local.network.public_subnet_id
  private_subnet_ids            = local.network.private_subnet_ids
  zones                         = var.availability_zones
  cluster_security_group_id     = module.security.cluster_id
  login_security_group_id       = module.security.login_id
  controllers_security_group_id = module.security.controllers_id
  instance_profiles             = module.iam.instance_profiles
  login                         = var.login
  controller                    = var.controller
  nfs                           = var.nfs
  gluster                       = var.gluster
  snapshot_days                 = var.snapshot_days
  compute                       = local.compute
  launch_compute                = !var.handed_over
  launch_controllers            = !(var.handed_over && local.relaunch_controllers)
  tags                          = local.tags
}

module "alarms" {
  source = "./modules/alarms"

  name                = var.cluster_name
  gpu_nodes           = { for name, node in module.nodes.compute : name => node.id if node.group == "gpu" }
  fixed_nodes         = { for name, node in module.nodes.fixed : name => node.id }
  efa_cards           = try(module.launch_templates["gpu"].efa_cards, 0)
  queue_name          = module.events.queue_name
  dead_queue_name     = module.events.dead_queue_name
  database_identifier = module.database.identifier
  people_topic_arn    = module.events.people_topic_arn
}

module "inventory" {
  source = "./modules/inventory"

  directory   = "${path.root}/../ansible"
  ssh_user    = local.image.user
  fixed       = module.nodes.fixed
  compute     = module.nodes.compute
  cluster     = local.ansible
  reconcilerd = local.reconcilerd
}
