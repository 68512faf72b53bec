output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_id" {
  description = "Subnet of the login nodes."
  value       = aws_subnet.public[var.availability_zones[0]].id
}

output "private_subnet_ids" {
  description = "Zone to private subnet id."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}
