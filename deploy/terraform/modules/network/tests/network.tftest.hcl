mock_provider "aws" {}

variables {
  name               = "prod-a"
  availability_zones = ["us-east-1a", "us-east-1b"]
}

run "a_private_subnet_in_each_zone" {
  command = plan
  assert {
    condition     = keys(aws_subnet.private) == ["us-east-1a", "us-east-1b"]
    error_message = "one private subnet for each zone"
  }
  assert {
    condition     = alltrue([for s in aws_subnet.private : s.map_public_ip_on_launch != true])
    error_message = "private subnets give out no public addresses"
  }
  assert {
    condition     = keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"]
    error_message = "gateway endpoints for S3 and DynamoDB"
  }
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ec2", "monitoring", "secretsmanager", "sqs"] && alltrue([for e in aws_vpc_endpoint.interface : e.private_dns_enabled])
    error_message = "what the daemon and a fresh instance call, without the NAT gateway"
  }
}

run "one_zone_is_refused" {
  command = plan
  variables {
    availability_zones   = ["us-east-1a"]
    private_subnet_cidrs = ["10.20.16.0/20"]
  }
  expect_failures = [var.availability_zones]
}

run "overlap_is_refused" {
  command = plan
  variables {
    private_subnet_cidrs = ["10.20.0.0/20", "10.20.32.0/20"] # the first holds the public one
  }
  expect_failures = [var.private_subnet_cidrs]
}

run "a_network_too_few_is_refused" {
  command = plan
  variables {
    private_subnet_cidrs = ["10.20.16.0/20"]
  }
  expect_failures = [var.private_subnet_cidrs]
}

run "nonsense_is_refused" {
  command = plan
  variables {
    vpc_cidr = "nonsense"
  }
  expect_failures = [var.vpc_cidr]
}

run "one_nat_gateway_or_one_in_each_zone" {
  command = plan
  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a"]
    error_message = "one, in the first zone"
  }
}

run "nat_in_each_zone" {
  command = apply
  variables {
    nat_subnet_cidrs = ["10.20.1.0/24"]
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a", "us-east-1b"] && aws_subnet.public["us-east-1b"].cidr_block == "10.20.1.0/24"
    error_message = "one in each zone, in a public subnet of that zone"
  }
  assert {
    condition     = alltrue([for zone, table in aws_route_table.private : alltrue([for r in table.route : r.nat_gateway_id == aws_nat_gateway.this[zone].id])])
    error_message = "each zone goes out by its own"
  }
}

run "a_nat_subnet_too_many_is_refused" {
  command = plan
  variables {
    nat_subnet_cidrs = ["10.20.1.0/24", "10.20.2.0/24"]
  }
  expect_failures = [var.nat_subnet_cidrs]
}
