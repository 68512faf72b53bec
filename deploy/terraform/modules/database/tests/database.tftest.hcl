mock_provider "aws" {}

variables {
  name              = "prod-a"
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-db"
}

run "as_specified" {
  command = plan
  assert {
    condition     = aws_db_instance.this.engine == "mysql" && aws_db_instance.this.engine_version == "8.0" && aws_db_instance.this.instance_class == "db.t3.micro"
    error_message = "MySQL 8.0 on db.t3.micro"
  }
  assert {
    condition     = aws_db_instance.this.storage_type == "gp3" && aws_db_instance.this.storage_encrypted && aws_db_instance.this.max_allocated_storage > aws_db_instance.this.allocated_storage
    error_message = "gp3, encrypted, grows by itself"
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "backups, deletion protection, a last snapshot"
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null && !aws_db_instance.this.publicly_accessible
    error_message = "the password is RDS's own secret; not reachable from outside"
  }
  assert {
    condition     = length([for p in aws_db_parameter_group.this.parameter : p if p.name == "require_secure_transport" && p.value == "1"]) == 1
    error_message = "TLS is required"
  }
}

run "its_logs_end" {
  command = plan
  assert {
    condition     = alltrue([for kind in aws_db_instance.this.enabled_cloudwatch_logs_exports : aws_cloudwatch_log_group.this[kind].name == "/aws/rds/instance/prod-a-slurm/${kind}" && aws_cloudwatch_log_group.this[kind].retention_in_days > 0])
    error_message = "each exported log has a group of ours, by the name that RDS writes to"
  }
  assert {
    condition     = { for p in aws_db_parameter_group.this.parameter : p.name => p.value if contains(["slow_query_log", "log_output"], p.name) } == { slow_query_log = "1", log_output = "FILE" }
    error_message = "the slow log that is exported is written"
  }
}

run "no_backups_are_refused" {
  command = plan
  variables {
    backup_days = 0
  }
  expect_failures = [var.backup_days]
}

run "storage_that_cannot_grow_is_refused" {
  command = plan
  variables {
    storage_gb = { initial = 100, max = 100 }
  }
  expect_failures = [var.storage_gb]
}

run "another_version_has_its_own_parameters" {
  command = plan
  variables {
    engine_version = "8.4.5"
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "mysql8.4" && aws_db_parameter_group.this.name == "prod-a-slurm-mysql84"
    error_message = "the family of the version"
  }
}

run "an_unknown_version_is_refused" {
  command = plan
  variables {
    engine_version = "5.7"
  }
  expect_failures = [var.engine_version]
}
