# MySQL for slurmdbd. RDS makes the password, keeps it in Secrets Manager and changes it every week;
# it is never in a Terraform state, and a timer on the controllers follows it (Ansible role slurm).
# slurmdbd connects by TLS only.

locals {
  family = "mysql${join(".", slice(split(".", var.engine_version), 0, 2))}"
}

resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-slurm"
  subnet_ids = var.subnet_ids

  tags = { Name = "${var.name}-slurm" }
}

resource "aws_db_parameter_group" "this" {
  name   = "${var.name}-slurm-${replace(local.family, ".", "")}"
  family = local.family

  parameter {
    name  = "require_secure_transport"
    value = "1"
  }
  # Slurm's accounting guide: larger than the default for purges and roll-ups. The buffer
  # pool keeps RDS's default, a share of the class's memory.
  parameter {
    name  = "innodb_lock_wait_timeout"
    value = "900"
  }
  parameter {
    name  = "max_allowed_packet"
    value = "16777216"
  }
  # Into a file: only files are exported to CloudWatch.
  parameter {
    name  = "slow_query_log"
    value = "1"
  }
  parameter {
    name  = "log_output"
    value = "FILE"
  }

  tags = { Name = "${var.name}-slurm" }

  lifecycle {
    # Another version has another family: the instance needs the new group before the old one goes.
    create_before_destroy = true
  }
}

# Made here, or RDS makes them: kept for ever, and left over after a tear-down.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:encrypted with CloudWatch's own key; what is in them is no secret
  for_each = toset(["error", "slowquery"])

  name              = "/aws/rds/instance/${var.name}-slurm/${each.key}"
  retention_in_days = 365

  tags = { Name = "${var.name}-slurm-${each.key}" }
}

resource "aws_db_instance" "this" {
  identifier = "${var.name}-slurm"

  engine         = "mysql"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = "slurm_acct_db"

  username                    = "slurm"
  manage_master_user_password = true

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = var.storage_gb.initial
  max_allocated_storage = var.storage_gb.max

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  multi_az               = var.multi_az

  backup_retention_period = var.backup_days
  copy_tags_to_snapshot   = true
  deletion_protection     = var.deletion_protection
  skip_final_snapshot     = false
  # A name of its own, or a cluster of the same name could not be torn down a second time.
  final_snapshot_identifier = "${var.name}-slurm-final-${formatdate("YYYYMMDDhhmmss", timestamp())}"

  auto_minor_version_upgrade      = true
  allow_major_version_upgrade     = true # whoever changes engine_version means it
  enabled_cloudwatch_logs_exports = keys(aws_cloudwatch_log_group.this)

  tags = { Name = "${var.name}-slurm" }

  lifecycle {
    ignore_changes = [final_snapshot_identifier]
  }
}
