# EFS for slurmctld's state (both controllers, two zones), buckets, and secrets. A single NFS server for the state would take both controllers down
# at once; that is why EFS is the default.

resource "aws_efs_file_system" "state" {
  count = var.efs ? 1 : 0

  creation_token   = "${var.name}-slurm-state"
  encrypted        = true
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"

  tags = { Name = "${var.name}-slurm-state" }
}

resource "aws_efs_backup_policy" "state" {
  count = var.efs ? 1 : 0

  file_system_id = aws_efs_file_system.state[0].id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "state" {
  for_each = var.efs ? var.private_subnet_ids : {}

  file_system_id  = aws_efs_file_system.state[0].id
  subnet_id       = each.value
  security_groups = [var.security_group_id]
}

# What fresh instances install.
module "packages" {
  source = "../bucket"

  name = "${var.name}-packages"
}

# Evidence of faults, as the daemon takes it from a node before a repair destroys it. A bucket of its
# own: kernel logs and job lists are nobody's on the compute nodes. Kept longer than a support case and
# the 28 days of the lemon score take; a bundle is written anew when a support case is added to it.
module "evidence" {
  source = "../bucket"

  name              = "${var.name}-evidence"
  expire_days       = 180
  old_versions_days = 30
}

# Values are written by the roles, so that they are in no Terraform state: the munge key by the slurm
# role, the keys that both controllers share (link of the daemons, probe) by the reconciler role.
resource "aws_secretsmanager_secret" "munge" {
  name_prefix             = "${var.name}-munge-"
  description             = "munge key of the Slurm cluster ${var.name}, base64"
  recovery_window_in_days = 7

  tags = { Name = "${var.name}-munge" }
}

resource "aws_secretsmanager_secret" "controller" {
  name_prefix             = "${var.name}-controller-"
  description             = "keys that the controllers of ${var.name} share, for one that is launched anew"
  recovery_window_in_days = 7

  tags = { Name = "${var.name}-controller" }
}
