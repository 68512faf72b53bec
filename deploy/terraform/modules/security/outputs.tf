output "cluster_id" {
  description = "Group of every node."
  value       = aws_security_group.cluster.id
}

output "login_id" {
  description = "Further group of the login nodes."
  value       = aws_security_group.login.id
}

output "controllers_id" {
  description = "Further group of the controllers, which database and state let in."
  value       = aws_security_group.controllers.id
}

output "database_id" {
  description = "Group of the database."
  value       = aws_security_group.database.id
}

output "efs_id" {
  description = "Group of the EFS mount targets."
  value       = aws_security_group.efs.id
}
