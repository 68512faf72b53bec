variable "name" {
  description = "Cluster name."
  type        = string
}

variable "image_id" {
  description = "AMI of the nodes."
  type        = string
}

variable "root_device" {
  description = "Name of the AMI's root device."
  type        = string
  default     = "/dev/sda1"
}

variable "key_name" {
  description = "EC2 key pair, \"\" = none."
  type        = string
  default     = ""
}

variable "public_subnet_id" {
  description = "Subnet of the login nodes."
  type        = string
}

variable "private_subnet_ids" {
  description = "Zone to private subnet id."
  type        = map(string)
}

variable "zones" {
  description = "The zones in their order: controllers and GlusterFS nodes are spread over them."
  type        = list(string)
}

variable "cluster_security_group_id" {
  description = "Group of every node."
  type        = string
}

variable "login_security_group_id" {
  description = "Further group of the login nodes."
  type        = string
}

variable "controllers_security_group_id" {
  description = "Further group of the controllers, which database and state let in."
  type        = string
}

variable "instance_profiles" {
  description = "Kind of node (controller, login, storage) to instance profile name."
  type        = map(string)
}

variable "login" {
  description = "Login nodes."
  type        = object({ count = optional(number, 1), type = optional(string, "t3.small") })
  default     = {}

  validation {
    condition     = var.login.count >= 1 && var.login.count <= 8
    error_message = "login.count must be 1 to 8: login nodes are the only SSH entrance."
  }
}

variable "controller" {
  description = "Controllers, in different zones."
  type        = object({ count = optional(number, 2), type = optional(string, "t3.small") })
  default     = {}

  validation {
    condition     = var.controller.count == 2
    error_message = "controller.count must be 2: with one controller nobody can take over, and slurmctld's pair needs exactly a primary and a backup."
  }
}

variable "nfs" {
  description = "NFS server and its data volume. count 0 = none."
  type        = object({ count = optional(number, 1), type = optional(string, "t3.small"), data_gb = optional(number, 100) })
  default     = {}

  validation {
    condition     = contains([0, 1], var.nfs.count) && var.nfs.data_gb >= 1 && floor(var.nfs.data_gb) == var.nfs.data_gb
    error_message = "nfs.count must be 0 or 1 (one server; use GlusterFS for more) and nfs.data_gb a whole number, 1 or more."
  }
}

variable "gluster" {
  description = "GlusterFS nodes with one brick volume each. zones: where, in turn; [] = all of the cluster's."
  type        = object({ count = optional(number, 3), type = optional(string, "t3.small"), brick_gb = optional(number, 20), zones = optional(list(string), []) })
  default     = {}

  validation {
    condition     = alltrue([for zone in var.gluster.zones : contains(var.zones, zone)])
    error_message = "gluster.zones must be some of availability_zones: name the zone of the compute nodes for the shortest way, or leave it [] to spread over all."
  }
  validation {
    condition     = var.gluster.brick_gb >= 1 && floor(var.gluster.brick_gb) == var.gluster.brick_gb
    error_message = "gluster.brick_gb must be a whole number, 1 or more: the size of each server's volume."
  }
  validation {
    condition     = var.gluster.count == 0 || (var.gluster.count >= 3 && var.gluster.count % 3 == 0)
    error_message = "gluster.count must be 0 or a multiple of 3: volumes are replicated three times, fewer cannot decide after a failure (split-brain)."
  }
}

variable "snapshot_days" {
  description = "Days that daily snapshots of the NFS volume and the bricks are kept; 0 = none are made."
  type        = number
  default     = 7

  validation {
    condition     = var.snapshot_days >= 0 && var.snapshot_days <= 365 && floor(var.snapshot_days) == var.snapshot_days
    error_message = "snapshot_days must be a whole number from 0 (no snapshots) to 365."
  }
}

variable "compute" {
  description = "Node name to the launch template from which its first instance is launched."
  type = map(object({
    group    = string
    template = object({ id = string, version = number })
  }))
  default = {}
}

variable "launch_compute" {
  description = "Terraform launches the compute nodes. After deploy/terraform/hand-over.sh the daemon alone does, and this is false."
  type        = bool
  default     = true
}

variable "launch_controllers" {
  description = "Terraform launches the controllers. After the hand-over the daemon does, and this is false."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of instances, volumes and network interfaces."
  type        = map(string)
}
