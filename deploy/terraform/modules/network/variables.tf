variable "name" {
  description = "Cluster name, in the names of everything."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = try(cidrhost(var.vpc_cidr, 0) == split("/", var.vpc_cidr)[0] && tonumber(split("/", var.vpc_cidr)[1]) >= 16 && !strcontains(var.vpc_cidr, ":"), false)
    error_message = "vpc_cidr must be an IPv4 network of /16 or smaller by its first address, such as 10.20.0.0/16."
  }
}

variable "availability_zones" {
  description = "Zones, the first one is where the GPU nodes are by default."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) >= 2 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones needs at least two different zones: the two controllers must not be lost together. Name them, such as [\"us-east-1a\", \"us-east-1b\"]."
  }
}

variable "public_subnet_cidr" {
  description = "Subnet of the login nodes and the NAT gateway, in the first zone."
  type        = string
  default     = "10.20.0.0/24"

  validation {
    condition     = can(cidrhost(var.public_subnet_cidr, 0))
    error_message = "public_subnet_cidr must be an IPv4 network such as 10.20.0.0/24."
  }
}

variable "nat_subnet_cidrs" {
  description = "Public subnets for a NAT gateway in each further zone, in the order of availability_zones from the second one on. [] = one NAT gateway for all zones."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.nat_subnet_cidrs : can(cidrhost(c, 0))])
    error_message = "nat_subnet_cidrs must be IPv4 networks such as 10.20.1.0/24."
  }
  validation {
    condition     = contains([0, length(var.availability_zones) - 1], length(var.nat_subnet_cidrs))
    error_message = "nat_subnet_cidrs needs one network for each zone after the first, or none: then one NAT gateway serves all zones."
  }
}

variable "private_subnet_cidrs" {
  description = "One private subnet for each zone, in the order of availability_zones."
  type        = list(string)
  default     = ["10.20.16.0/20", "10.20.32.0/20"]

  validation {
    condition     = alltrue([for c in var.private_subnet_cidrs : can(cidrhost(c, 0))])
    error_message = "private_subnet_cidrs must be IPv4 networks such as 10.20.16.0/20."
  }
  validation {
    condition     = length(var.private_subnet_cidrs) == length(var.availability_zones)
    error_message = "private_subnet_cidrs needs one network for each zone: give as many as availability_zones has."
  }
  validation {
    # Two networks overlap when they are the same after cutting both to the shorter prefix.
    condition = try(alltrue([
      for pair in setproduct(concat([var.public_subnet_cidr], var.nat_subnet_cidrs, var.private_subnet_cidrs), concat([var.public_subnet_cidr], var.nat_subnet_cidrs, var.private_subnet_cidrs)) :
      pair[0] == pair[1] || (
        cidrsubnet("${split("/", pair[0])[0]}/${min(split("/", pair[0])[1], split("/", pair[1])[1])}", 0, 0) !=
        cidrsubnet("${split("/", pair[1])[0]}/${min(split("/", pair[0])[1], split("/", pair[1])[1])}", 0, 0)
      )
    ]), true) && length(distinct(concat([var.public_subnet_cidr], var.nat_subnet_cidrs, var.private_subnet_cidrs))) == 1 + length(var.nat_subnet_cidrs) + length(var.private_subnet_cidrs)
    error_message = "The subnets overlap: give public_subnet_cidr and every one of nat_subnet_cidrs and private_subnet_cidrs addresses of their own."
  }
  validation {
    condition = try(alltrue([
      for c in concat([var.public_subnet_cidr], var.nat_subnet_cidrs, var.private_subnet_cidrs) :
      tonumber(split("/", c)[1]) >= tonumber(split("/", var.vpc_cidr)[1]) &&
      cidrsubnet("${split("/", c)[0]}/${split("/", var.vpc_cidr)[1]}", 0, 0) == cidrsubnet(var.vpc_cidr, 0, 0)
    ]), true)
    error_message = "A subnet is outside the VPC: all of public_subnet_cidr, nat_subnet_cidrs and private_subnet_cidrs must be parts of vpc_cidr."
  }
}
