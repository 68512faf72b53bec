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
