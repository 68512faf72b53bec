# What the daemon and the roles are told.

locals {
  # What GRES calls them. Other types: as DescribeInstanceTypes says.
  known_gpus = {
    "p4d.24xlarge" = { count = 8, name = "a100" }, "p4de.24xlarge" = { count = 8, name = "a100" }
    "p5.48xlarge"  = { count = 8, name = "h100" }, "p5e.48xlarge" = { count = 8, name = "h200" }, "p5en.48xlarge" = { count = 8, name = "h200" }
  }
  gpus = { for type in toset([for group, g in local.groups : g.type if group == "gpu"]) : type => lookup(local.known_gpus, type, {
    count = try(sum([for g in data.aws_ec2_instance_type.compute[type].gpus : g.count]), 1)
    name  = try(lower(replace(one(data.aws_ec2_instance_type.compute[type].gpus).name, " ", "-")), "gpu")
  }) }

  # DescribeInstanceTypes does not tell sockets. The largest size of these families is a whole machine of two; any
  # other type is taken for one socket, unless cpu.sockets or gpu.sockets says otherwise.
  two_sockets = concat(
    ["c5.18xlarge", "c5n.18xlarge", "hpc7a.96xlarge"],
    [for family in ["c5", "c5d", "m5", "m5d", "m5n", "r5", "r5d", "r5n", "p3dn", "p4d", "p4de"] : "${family}.24xlarge"],
    [for family in ["c6i", "c6id", "c6in", "m6i", "m6id", "r6i", "r6id", "hpc6id"] : "${family}.32xlarge"],
    [for family in ["c6a", "m6a", "r6a", "hpc6a", "c7i", "m7i", "r7i", "c7a", "m7a", "r7a", "g5", "g6", "g6e", "p5", "p5e", "p5en"] : "${family}.48xlarge"],
  )

  # Where both controllers mount the shared state; StateSaveLocation is "state" in it.
  slurm_state = "/var/spool/slurm-shared"

  ec2_arn = "arn:${data.aws_partition.current.partition}:ec2:${var.region}:${data.aws_caller_identity.current.account_id}"

  evidence_prefix = "forensics"

  # Without the keys that are not set: the daemon takes no null.
  reconcilerd = merge(local.configuration, local.controllers, {
    lease     = { for key, value in local.configuration.lease : key => value if value != null }
    incidents = { for key, value in local.configuration.incidents : key => value if value != null }
  })

  # Fail-over of slurmctld needs the daemon on both. The order is that of SlurmctldHost: of the inventory.
  controllers = { for key, value in {
    controllers = {
      hosts            = [for name in local.controller_names : { host = name }]
      helper           = { args = ["--state-dir", "${local.slurm_state}/state"] }
      template         = try(local.templates_of_controllers[var.availability_zones[0]].id, "")
      template_version = try(local.templates_of_controllers[var.availability_zones[0]].version, 0)
      launch = [for zone in var.availability_zones : {
        subnet             = local.network.private_subnet_ids[zone]
        zone               = zone
        template           = local.templates_of_controllers[zone].id
        template_version   = local.templates_of_controllers[zone].version
        subnet_in_template = true
      } if local.relaunch_controllers]
    }
  } : key => value if local.relaunch_controllers }

  # Every key: docs/configuration.md. Subnets and placement groups are in the launch templates:
  # EC2 takes them from there when a template has network interfaces.
  configuration = {
    cluster = {
      name = var.cluster_name
      groups = [for group, g in local.groups : {
        name             = group
        nodes            = g.count == 1 ? "${group}-1" : "${group}-[1-${g.count}]"
        template         = module.launch_templates[group].templates[g.zones[0]].id
        template_version = module.launch_templates[group].templates[g.zones[0]].version
        capacity         = local.capacity[group].kind
        launch = [for zone in g.zones : merge(
          {
            subnet             = local.network.private_subnet_ids[zone]
            zone               = zone
            template           = module.launch_templates[group].templates[zone].id
            template_version   = module.launch_templates[group].templates[zone].version
            subnet_in_template = true
          },
          local.capacity[group].kind == "open" ? {} : { reservation = local.capacity[group].reservation_id },
          local.capacity[group].kind == "block" ? { capacity_block = true } : {},
        )]
      }]
    }
    aws    = { region = var.region }
    queue  = { url = module.events.queue_url }
    policy = "/etc/slurm-on-aws/policy.json"
    # No hosts file: slurm.conf has addresses, and /etc/hosts belongs to root.
    slurm = {
      conf     = "/etc/slurm/slurm.conf"
      topology = "/etc/slurm/topology.conf"
      log      = "/var/log/slurm/slurmctld.log"
    }
    lease     = var.daemon_state == "file" ? { kind = "file", table = null } : { kind = "dynamodb", table = module.events.lease_table }
    incidents = var.daemon_state == "file" ? { kind = "file", table = null } : { kind = "dynamodb", table = module.events.incidents_table }
    control   = { group = "slurm-operators" }
    metrics   = { cloudwatch = "slurm-on-aws" } # what the alarms of "nobody leads" look at
    forensics = { s3 = "s3://${module.storage.evidence_bucket}/${local.evidence_prefix}" }
    ssh       = { user = "slurm-on-aws", key = "/etc/slurm-on-aws/probe_ed25519" }
    tags      = local.tags
  }

  ansible = {
    cluster_name          = var.cluster_name
    aws_region            = var.region
    vpc_cidr              = var.vpc_cidr
    state_on              = var.state_on
    slurm_state           = local.slurm_state
    daemon_state          = var.daemon_state
    efs_dns_name          = module.storage.efs_dns_name
    munge_secret_arn      = module.storage.munge_secret_arn
    controller_secret_arn = module.storage.controller_secret_arn
    packages_bucket       = module.storage.packages_bucket
    scratch               = var.scratch
    database = {
      host       = module.database.address
      secret_arn = module.database.secret_arn
    }
    compute_groups = [for group, g in local.groups : {
      name             = group
      nodes            = [for i in range(g.count) : "${group}-${i + 1}"]
      cpus             = data.aws_ec2_instance_type.compute[g.type].default_vcpus
      cores            = data.aws_ec2_instance_type.compute[g.type].default_cores
      threads_per_core = data.aws_ec2_instance_type.compute[g.type].default_threads_per_core
      sockets          = g.sockets != null ? g.sockets : contains(local.two_sockets, g.type) ? 2 : 1
      # The system keeps a part, of small types a larger one: a node that shows less than configured
      # would be refused.
      memory_mb = floor(min(data.aws_ec2_instance_type.compute[g.type].memory_size * 0.93, data.aws_ec2_instance_type.compute[g.type].memory_size - 300))
      gpus      = group == "gpu" ? local.gpus[g.type].count : 0
      gpu_type  = group == "gpu" ? local.gpus[g.type].name : ""
      efa_cards = module.launch_templates[group].efa_cards
    }]
  }
}
