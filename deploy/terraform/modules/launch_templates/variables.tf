variable "name" {
  description = "Cluster name."
  type        = string
}

variable "group" {
  description = "Name of the group of nodes, such as gpu: part of the templates' names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,15}$", var.group))
    error_message = "group must be 1 to 16 small letters and digits that begin with a letter, such as gpu: node names are made of it."
  }
}

variable "role" {
  description = "What the instances are: compute or controller. It is in their tag slurm-on-aws:role, and says which user data they get."
  type        = string
  default     = "compute"

  validation {
    condition     = contains(["compute", "controller"], var.role)
    error_message = "role must be compute or controller."
  }
  validation {
    condition     = var.role == "compute" || (!var.spot && !var.placement_group && local.efa_cards == 0)
    error_message = "A controller is never spot, in no placement group and without EFA: set spot = false, placement_group = false and efa_cards = 0."
  }
}

variable "instance_type" {
  description = "Instance type of the group."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type must look like c7a.medium or p4d.24xlarge."
  }
  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*|p6e-gb200)\\.", var.instance_type))
    error_message = "This is an ARM (Graviton) type; images and packages are for x86_64: choose its sibling, such as c7a or c7i for c7g."
  }
  validation {
    condition     = !can(regex("^(t1|t2|m[1-4]|c[1-4]|r[34])\\.", var.instance_type))
    error_message = "This type is of a generation before Nitro, which is not EBS-optimised by default and has no NVMe volumes; a t2 cannot join a cluster placement group either. Choose t3.small or newer, in a placement group one that can join it, such as c7a.medium."
  }
}

variable "efa_cards" {
  description = "Network cards that get an EFA interface each; 0 = one plain interface. null: all cards of p4d, p4de, p5, p5e and p5en, 0 for other types."
  type        = number
  default     = null

  validation {
    condition     = var.efa_cards == null || try(var.efa_cards >= 0 && var.efa_cards <= 32 && floor(var.efa_cards) == var.efa_cards, false)
    error_message = "efa_cards must be a whole number from 0 to 32: the cards of the instance type (p4d.24xlarge has 4)."
  }
  validation {
    condition     = var.efa_cards == null || var.efa_cards == lookup(local.network_cards, var.instance_type, var.efa_cards)
    error_message = "efa_cards must be all the network cards of the type (p4d.24xlarge and p4de.24xlarge: 4, p5.48xlarge and p5e.48xlarge: 32, p5en.48xlarge: 16): each card brings a part of the bandwidth, one EFA on a p4d gives 100 of its 400 Gb/s. Set efa_cards to that number."
  }
}

variable "image_id" {
  description = "AMI of the group."
  type        = string

  validation {
    condition     = startswith(var.image_id, "ami-")
    error_message = "image_id must be an AMI id that begins with ami-."
  }
}

variable "subnets" {
  description = "Zone to subnet id: one template each, because EC2 takes a subnet and network interfaces from the template only."
  type        = map(string)
}

variable "security_group_ids" {
  description = "Groups of every interface."
  type        = list(string)
}

variable "instance_profile_arn" {
  description = "Instance profile of compute nodes."
  type        = string
}

variable "key_name" {
  description = "EC2 key pair, \"\" = none."
  type        = string
  default     = ""
}

variable "placement_group" {
  description = "A cluster placement group in each zone."
  type        = bool
  default     = true

  validation {
    condition     = !var.placement_group || !can(regex("^(t[0-9]|mac)|-flex\\.", var.instance_type))
    error_message = "This type cannot join a cluster placement group (t2, t3, t4g, mac and flex types cannot): choose one that can, such as c7a.medium or c7i.large, or set placement_group = false."
  }
}

variable "placement_group_name" {
  description = "A cluster placement group that exists, instead of new ones. It is in one zone, so subnets must be one too."
  type        = string
  default     = ""

  validation {
    condition     = var.placement_group_name == "" || var.placement_group
    error_message = "placement_group_name without placement_group = true says two things: leave one of them out."
  }
  validation {
    condition     = var.placement_group_name == "" || length(var.subnets) == 1
    error_message = "The placement group of placement_group_name is in one zone: name only that zone's subnet."
  }
}

variable "root_gb" {
  description = "Size of the root volume, gp3."
  type        = number
  default     = 40

  validation {
    condition     = var.root_gb >= 16
    error_message = "root_gb must be at least 16: the image, Slurm and logs need it."
  }
}

variable "spot" {
  description = "Spot capacity: cheap, and taken away with two minutes' notice."
  type        = bool
  default     = false
}

variable "capacity" {
  description = "open: unreserved. reserved: an On-Demand Capacity Reservation. block: a Capacity Block (no placement group)."
  type        = object({ kind = optional(string, "open"), reservation_id = optional(string, "") })
  default     = {}

  validation {
    condition     = contains(["open", "reserved", "block"], var.capacity.kind)
    error_message = "capacity.kind must be open, reserved or block."
  }
  validation {
    condition     = (var.capacity.kind == "open") == (var.capacity.reservation_id == "")
    error_message = "capacity.reservation_id belongs to the kinds reserved and block: give the id (cr-...) there, and none with open."
  }
  validation {
    condition     = !(var.capacity.kind == "block" && var.placement_group)
    error_message = "A Capacity Block brings its own placement: set placement_group = false."
  }
  validation {
    condition     = !(var.spot && var.capacity.kind != "open")
    error_message = "Spot instances cannot use reservations: set spot = false, or capacity.kind = \"open\"."
  }
}

variable "tags" {
  description = "Tags of the instances, their volumes, interfaces and spot requests."
  type        = map(string)
}

variable "join" {
  description = "What a fresh instance must know to join the cluster."
  type = object({
    region           = string
    controllers      = list(string)
    munge_secret_arn = string
    packages_bucket  = string
    gpus             = optional(number, 0)
    # Where the instance store is mounted; "" = it is left alone.
    scratch = optional(string, "")
    # Of controllers: where the keys of the link and of the probe are.
    controller_secret_arn = optional(string, "")
  })
}

variable "root_device" {
  description = "Name of the AMI's root device: /dev/sda1 on Ubuntu, /dev/xvda on Debian."
  type        = string
  default     = "/dev/sda1"
}
