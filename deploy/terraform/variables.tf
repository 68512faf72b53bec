# --- who and where -------------------------------------------------------------------------

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region such as us-east-1."
  }
  validation {
    condition     = !startswith(var.region, "cn-")
    error_message = "AWS's regions in China have other host names than the scripts and the daemon use: choose another region."
  }
}

variable "project" {
  description = "Tag Project of everything."
  type        = string
  default     = "slurm-on-aws"
}

variable "environment" {
  description = "Tag Environment of everything, such as prod or test."
  type        = string
  default     = "prod"
}

variable "cluster_name" {
  description = "Name of the cluster: in Slurm, in the names of everything, in the tag by which the daemon knows its instances."
  type        = string

  validation {
    condition     = length(var.cluster_name) <= 25 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.cluster_name))
    error_message = "cluster_name must be 1 to 25 small letters, digits and single dashes between them, beginning with a letter, without blanks, such as prod-a."
  }
}

variable "notify_emails" {
  description = "Addresses that get alarms and what needs a person."
  type        = list(string)
  default     = []
}

# --- network -------------------------------------------------------------------------------

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.20.0.0/16"
}

variable "availability_zones" {
  description = "At least two zones. GPU nodes are in the first one unless gpu.zones says otherwise: choose it where your capacity is."
  type        = list(string)

  validation {
    condition     = alltrue([for zone in var.availability_zones : startswith(zone, var.region)])
    error_message = "availability_zones must be zones of the region, such as us-east-1a in us-east-1: set region too."
  }
}

variable "existing_network" {
  description = "A VPC of yours instead of one that is made: its id, the subnet of the login nodes, zone to private subnet. README.md says what it must have. vpc_cidr must be its network; the other networks are not used."
  type        = object({ vpc_id = string, public_subnet_id = string, private_subnet_ids = map(string) })
  default     = null

  validation {
    condition     = var.existing_network == null || try(toset(keys(var.existing_network.private_subnet_ids)) == toset(var.availability_zones) && length(var.availability_zones) >= 2, false)
    error_message = "existing_network.private_subnet_ids must name one private subnet for each of availability_zones, at least two: { us-east-1a = \"subnet-...\", us-east-1b = \"subnet-...\" }."
  }
  validation {
    condition     = var.existing_network == null || try(startswith(var.existing_network.vpc_id, "vpc-") && alltrue([for id in concat([var.existing_network.public_subnet_id], values(var.existing_network.private_subnet_ids)) : startswith(id, "subnet-")]), false)
    error_message = "existing_network has ids: vpc_id begins with vpc-, the subnets with subnet-."
  }
}

variable "public_subnet_cidr" {
  description = "Subnet of the login nodes and the NAT gateway."
  type        = string
  default     = "10.20.0.0/24"
}

variable "nat_subnet_cidrs" {
  description = "Public subnets for a NAT gateway in each further zone, such as [\"10.20.1.0/24\"]. [] = one NAT gateway: without its zone, fresh instances of the others cannot install packages."
  type        = list(string)
  default     = []
}

variable "private_subnet_cidrs" {
  description = "One private subnet for each zone."
  type        = list(string)
  default     = ["10.20.16.0/20", "10.20.32.0/20"]
}

variable "ssh_cidrs" {
  description = "Networks from which SSH to the login nodes is allowed. There is no default; 0.0.0.0/0 is refused."
  type        = list(string)
}

variable "ssh_public_key" {
  description = "Public key of the operator, for Ansible: the content of ~/.ssh/id_ed25519.pub."
  type        = string

  validation {
    condition     = can(regex("^(ssh-ed25519|ecdsa-sha2-[a-z0-9-]+|ssh-rsa) [A-Za-z0-9+/=]+", var.ssh_public_key))
    error_message = "ssh_public_key must be one line such as \"ssh-ed25519 AAAA... you@host\": the content of your .pub file, never the private key."
  }
}

variable "ssm" {
  description = "Let operators in through SSM Session Manager too."
  type        = bool
  default     = false
}

# --- images --------------------------------------------------------------------------------

variable "os" {
  description = "Image of all nodes: ubuntu-24.04 (Slurm 23.11), debian-12 (22.05) or debian-13 (24.11; without GPU nodes)."
  type        = string
  default     = "ubuntu-24.04"

  validation {
    condition     = contains(["ubuntu-24.04", "debian-12", "debian-13"], var.os)
    error_message = "os must be ubuntu-24.04, debian-12 or debian-13."
  }
}

variable "ami_id" {
  description = "Pin the AMI of all nodes. \"\" = the newest of var.os; then an apply months later makes new template versions."
  type        = string
  default     = ""

  validation {
    condition     = var.ami_id == "" || startswith(var.ami_id, "ami-")
    error_message = "ami_id must be an AMI id that begins with ami-, or \"\"."
  }
}

# --- nodes ---------------------------------------------------------------------------------

variable "login" {
  description = "Login nodes."
  type        = object({ count = optional(number, 1), type = optional(string, "t3.small") })
  default     = {}
}

variable "controller" {
  description = "Controllers: two, in two zones."
  type        = object({ count = optional(number, 2), type = optional(string, "t3.small") })
  default     = {}
}

variable "cpu" {
  description = "CPU nodes, in a cluster placement group. spot = cheap, taken away with two minutes' notice. sockets: of the type, where we do not know it (lscpu shows them). ami_id = a prepared image."
  type = object({
    count           = optional(number, 3)
    type            = optional(string, "c7a.medium")
    sockets         = optional(number)
    placement_group = optional(bool, true)
    spot            = optional(bool, false)
    zones           = optional(list(string), [])
    root_gb         = optional(number, 40)
    ami_id          = optional(string, "")
  })
  default = {}

  validation {
    condition     = alltrue([for zone in var.cpu.zones : contains(var.availability_zones, zone)])
    error_message = "cpu.zones must be some of availability_zones: nodes can only be where there is a subnet."
  }
  validation {
    condition     = var.cpu.count >= 0 && floor(var.cpu.count) == var.cpu.count
    error_message = "cpu.count must be a whole number, 0 or more."
  }
  validation {
    condition     = var.cpu.sockets == null || try(contains([1, 2, 4, 8], var.cpu.sockets), false)
    error_message = "cpu.sockets must be 1, 2, 4 or 8, as lscpu shows on a node of this type; leave it out where you do not know."
  }
}

variable "gpu" {
  description = "GPU nodes. efa_cards: all network cards of the type; known for p4d, p4de, p5, p5e and p5en, 0 for others unless you say. sockets: of the type, where we do not know it (lscpu shows them). ami_id = an image that the nvidia_drivers, efa and slurm roles have prepared; without one a replacement lacks the drivers. placement_group_name = a cluster placement group of yours; else one is made, or none with placement_group = false."
  type = object({
    count     = optional(number, 2)
    type      = optional(string, "p4d.24xlarge")
    efa_cards = optional(number)
    sockets   = optional(number)
    # With a reservation of yours: the placement group that it was made in, or false when it is in none.
    placement_group      = optional(bool, true)
    placement_group_name = optional(string)
    # EFA works within a zone: more zones only make a replacement possible that cannot share a
    # multi-node job with the others.
    zones   = optional(list(string), [])
    root_gb = optional(number, 200)
    ami_id  = optional(string, "")
  })
  default = {}

  validation {
    condition     = alltrue([for zone in var.gpu.zones : contains(var.availability_zones, zone)])
    error_message = "gpu.zones must be some of availability_zones: nodes can only be where there is a subnet."
  }
  validation {
    condition     = var.gpu.count >= 0 && floor(var.gpu.count) == var.gpu.count
    error_message = "gpu.count must be a whole number, 0 or more."
  }
  validation {
    condition     = var.os != "debian-13" || var.gpu.count == 0
    error_message = "GPU nodes need os = \"ubuntu-24.04\" or \"debian-12\": NVIDIA's packages for Debian 13 begin with driver branch 590, have other names there, and were never tried here. Or set gpu = { count = 0 }."
  }
  validation {
    condition     = var.gpu.sockets == null || try(contains([1, 2, 4, 8], var.gpu.sockets), false)
    error_message = "gpu.sockets must be 1, 2, 4 or 8, as lscpu shows on a node of this type; leave it out where you do not know."
  }
  validation {
    condition     = var.gpu.placement_group_name == null || can(regex("^[!-~]([ -~]{0,253}[!-~])?$", var.gpu.placement_group_name)) && !can(regex("^(arn:|pg-[0-9a-f]{17}$)", var.gpu.placement_group_name))
    error_message = "gpu.placement_group_name must be the name of the placement group, not its ARN or id (pg-...): aws ec2 describe-placement-groups shows it. Leave it out for a new group."
  }
  validation {
    condition     = var.gpu.placement_group_name == null || var.gpu.placement_group
    error_message = "gpu.placement_group = false and a placement_group_name say two things: leave one of them out."
  }
  validation {
    condition     = var.gpu.placement_group_name == null || length(var.gpu.zones) <= 1
    error_message = "The placement group of gpu.placement_group_name is in one zone: name only that one in gpu.zones."
  }
  validation {
    condition     = var.gpu.count + var.cpu.count > 0
    error_message = "A cluster without compute nodes runs no job: set cpu.count or gpu.count to 1 or more."
  }
}

variable "gpu_capacity" {
  description = "open: unreserved. reserved: in the reservation named, or in one that is made (create = true). block: a Capacity Block that you bought."
  type = object({
    kind           = optional(string, "open")
    reservation_id = optional(string, "")
    create         = optional(bool, false)
  })
  default = {}

  validation {
    condition     = !var.gpu_capacity.create || (var.gpu_capacity.kind == "reserved" && var.gpu_capacity.reservation_id == "")
    error_message = "gpu_capacity.create makes an On-Demand Capacity Reservation: set kind = \"reserved\" and no reservation_id. Capacity Blocks are bought, not made."
  }
  validation {
    condition     = contains(["open", "reserved", "block"], var.gpu_capacity.kind)
    error_message = "gpu_capacity.kind must be open, reserved or block."
  }
  validation {
    condition     = var.gpu_capacity.reservation_id == "" || can(regex("^cr-[0-9a-f]{8,17}$", var.gpu_capacity.reservation_id))
    error_message = "gpu_capacity.reservation_id must be the id of a capacity reservation or Capacity Block, such as cr-0123456789abcdef0."
  }
  validation {
    condition     = var.gpu_capacity.kind != "block" || var.gpu.placement_group_name == null
    error_message = "A Capacity Block brings its own placement: leave gpu.placement_group_name out."
  }
  validation {
    condition     = var.gpu_capacity.kind == "open" || var.gpu.count > 0
    error_message = "A reservation without GPU nodes is paid for and never used: set gpu.count, or gpu_capacity = {}."
  }
  validation {
    condition     = var.gpu_capacity.kind == "open" || length(var.gpu.zones) <= 1
    error_message = "A reservation or Capacity Block is in one zone: name only that one in gpu.zones."
  }
}

variable "scratch" {
  description = "Where a compute node's instance store (p4d.24xlarge: 8 TB of NVMe) is one striped file system, empty after each stop and start. \"\" = the disks are left alone."
  type        = string
  default     = "/scratch"

  validation {
    condition     = var.scratch == "" || can(regex("^(/[a-z0-9][a-z0-9_-]*)+$", var.scratch))
    error_message = "scratch must be a folder such as /scratch, or \"\"."
  }
}

variable "snapshot_days" {
  description = "Days that nightly snapshots of the NFS volume and the bricks are kept; 0 = none are made."
  type        = number
  default     = 7
}

variable "nfs" {
  description = "NFS server: home and software."
  type        = object({ count = optional(number, 1), type = optional(string, "t3.small"), data_gb = optional(number, 100) })
  default     = {}
}

variable "gluster" {
  description = "GlusterFS nodes: the parallel file system. zones = [] spreads them over all zones: outlives a zone that has one of three, and every write pays for the way between zones; the zone of the compute nodes is faster."
  type        = object({ count = optional(number, 3), type = optional(string, "t3.small"), brick_gb = optional(number, 20), zones = optional(list(string), []) })
  default     = {}
}

variable "handed_over" {
  description = "The daemon launches and replaces compute nodes and controllers; Terraform only looks. hand-over.sh sets this once the daemon is in charge."
  type        = bool
  default     = false
}

# --- state and accounting ------------------------------------------------------------------

variable "state_on" {
  description = "Where slurmctld's state is: efs (default: outlives a zone) or nfs (simple; one server takes both controllers down, and root of any node may write there)."
  type        = string
  default     = "efs"

  validation {
    condition     = contains(["efs", "nfs"], var.state_on)
    error_message = "state_on must be efs or nfs."
  }
  validation {
    condition     = var.state_on == "efs" || var.nfs.count == 1
    error_message = "state_on = \"nfs\" needs the NFS server: set nfs.count = 1, or state_on = \"efs\"."
  }
}

variable "database" {
  description = "RDS MySQL for accounting."
  type = object({
    class               = optional(string, "db.t3.micro")
    engine_version      = optional(string, "8.0")
    storage_gb          = optional(object({ initial = optional(number, 20), max = optional(number, 100) }), {})
    multi_az            = optional(bool, false)
    backup_days         = optional(number, 7)
    deletion_protection = optional(bool, true)
  })
  default = {}
}

variable "daemon_state" {
  description = "Where the daemon keeps lease and incidents. dynamodb (default): both controllers run it, one leads. file: on ctl-1 only, and nobody goes on when ctl-1 is lost."
  type        = string
  default     = "dynamodb"

  validation {
    condition     = contains(["file", "dynamodb"], var.daemon_state)
    error_message = "daemon_state must be dynamodb or file."
  }
}
