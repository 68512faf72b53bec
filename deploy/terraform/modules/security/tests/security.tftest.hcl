mock_provider "aws" {}

variables {
  name      = "prod-a"
  vpc_id    = "vpc-1"
  ssh_cidrs = ["203.0.113.0/24", "198.51.100.7/32"]
}

run "ssh_from_the_operators_only" {
  command = plan
  assert {
    condition     = [for r in aws_vpc_security_group_ingress_rule.login_ssh : r.cidr_ipv4] == ["198.51.100.7/32", "203.0.113.0/24"]
    error_message = "SSH from the given networks and no others"
  }
  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.login_ssh : r.from_port == 22 && r.to_port == 22 && r.ip_protocol == "tcp"])
    error_message = "port 22 only"
  }
}

run "efa_has_its_rules_to_itself" {
  command = apply
  assert {
    condition     = aws_vpc_security_group_ingress_rule.cluster_self.ip_protocol == "-1" && aws_vpc_security_group_ingress_rule.cluster_self.referenced_security_group_id == aws_security_group.cluster.id
    error_message = "all traffic in from the group itself"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.cluster_self.ip_protocol == "-1" && aws_vpc_security_group_egress_rule.cluster_self.referenced_security_group_id == aws_security_group.cluster.id
    error_message = "all traffic out to the group itself: EFA needs it beside 0.0.0.0/0"
  }
}

run "the_internet_is_refused" {
  command = plan
  variables {
    ssh_cidrs = ["203.0.113.0/24", "0.0.0.0/0"]
  }
  expect_failures = [var.ssh_cidrs]
}

run "half_the_internet_is_refused" {
  command = plan
  variables {
    ssh_cidrs = ["0.0.0.0/1", "128.0.0.0/1"]
  }
  expect_failures = [var.ssh_cidrs]
}

run "a_node_that_runs_jobs_reaches_neither_database_nor_state" {
  command = apply
  assert {
    condition     = aws_vpc_security_group_ingress_rule.database.referenced_security_group_id == aws_security_group.controllers.id && aws_vpc_security_group_ingress_rule.database.from_port == 3306
    error_message = "MySQL for the controllers"
  }
  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.efs : r.referenced_security_group_id]) == toset([aws_security_group.controllers.id, aws_security_group.login.id])
    error_message = "EFS for controllers and login nodes"
  }
}
