# Who may talk to whom. SSH comes in on login nodes only. Inside the cluster everything is
# allowed, in both directions by reference to the group itself: EFA needs exactly that, and
# Slurm, MPI and the file systems use any port.

resource "aws_security_group" "cluster" {
  name        = "${var.name}-cluster"
  description = "Everything inside ${var.name}; EFA needs the rules to the group itself"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-cluster" }
}

resource "aws_vpc_security_group_ingress_rule" "cluster_self" {
  security_group_id            = aws_security_group.cluster.id
  description                  = "all traffic from the cluster"
  referenced_security_group_id = aws_security_group.cluster.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "cluster_self" {
  security_group_id            = aws_security_group.cluster.id
  description                  = "all traffic to the cluster (EFA does not pass by address)"
  referenced_security_group_id = aws_security_group.cluster.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "cluster_out" {
  security_group_id = aws_security_group.cluster.id
  description       = "packages and AWS APIs"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_security_group" "login" {
  name        = "${var.name}-login"
  description = "SSH to the login nodes of ${var.name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-login" }
}

resource "aws_vpc_security_group_ingress_rule" "login_ssh" {
  for_each = toset(var.ssh_cidrs)

  security_group_id = aws_security_group.login.id
  description       = "SSH from operators and users"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

# Who may reach the database and slurmctld's state: a node that runs jobs has no business there.
resource "aws_security_group" "controllers" {
  name        = "${var.name}-controllers"
  description = "Controllers of ${var.name}: what database and state let in"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-controllers" }
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "MySQL of ${var.name}: from the controllers only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-database" }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "MySQL from the controllers"
  referenced_security_group_id = aws_security_group.controllers.id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
}

resource "aws_security_group" "efs" {
  name        = "${var.name}-efs"
  description = "EFS of ${var.name}: from controllers and login nodes only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-efs" }
}

# Login nodes read slurm.conf there.
resource "aws_vpc_security_group_ingress_rule" "efs" {
  for_each = { controllers = aws_security_group.controllers.id, login = aws_security_group.login.id }

  security_group_id            = aws_security_group.efs.id
  description                  = "NFS from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
}
