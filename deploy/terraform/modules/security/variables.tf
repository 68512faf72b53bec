variable "name" {
  description = "Cluster name, in the names of everything."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "ssh_cidrs" {
  description = "Networks from which operators and users may open SSH to the login nodes. There is no default."
  type        = list(string)

  validation {
    # AWS's API takes the first address of a network only, and IPv6 in another field.
    condition     = length(var.ssh_cidrs) > 0 && alltrue([for c in var.ssh_cidrs : try(cidrhost(c, 0) == split("/", c)[0] && !strcontains(c, ":"), false)])
    error_message = "ssh_cidrs needs at least one IPv4 network, each by its first address, such as [\"203.0.113.0/24\"], one machine as \"203.0.113.7/32\": the networks you sign in from."
  }
  validation {
    condition     = alltrue([for c in var.ssh_cidrs : try(tonumber(split("/", c)[1]) >= 8, false)])
    error_message = "ssh_cidrs must not let the whole Internet in: 0.0.0.0/0 and networks wider than /8 are refused. Give the networks you sign in from, such as [\"203.0.113.0/24\"]."
  }
}
