variable "name" {
  description = "Cluster name, in the names of everything."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS needs subnets in at least two zones: give two or more subnet_ids."
  }
}

variable "security_group_id" {
  description = "Group that lets the cluster in on port 3306."
  type        = string
}

variable "instance_class" {
  description = "RDS instance class."
  type        = string
  default     = "db.t3.micro"

  validation {
    condition     = can(regex("^db\\.[a-z0-9-]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "instance_class must be an RDS class such as db.t3.micro or db.m7g.large."
  }
}

variable "engine_version" {
  description = "MySQL version, 8.0 or 8.4. RDS asks for extra money for 8.0 (Extended Support) since its community support ended."
  type        = string
  default     = "8.0"

  validation {
    condition     = can(regex("^8\\.[04](\\.[0-9]+)?$", var.engine_version))
    error_message = "engine_version must be 8.0 or 8.4 or one of their minor versions, such as 8.0.40: the parameter group is made for it."
  }
}

variable "storage_gb" {
  description = "Storage at first, and the most it may grow to by itself."
  type        = object({ initial = optional(number, 20), max = optional(number, 100) })
  default     = {}

  validation {
    condition     = var.storage_gb.initial >= 20 && var.storage_gb.max >= var.storage_gb.initial * 1.1
    error_message = "storage_gb.initial must be at least 20 (gp3) and storage_gb.max at least a tenth more: AWS does not grow by less."
  }
}

variable "multi_az" {
  description = "A standby in another zone. Slurm keeps running without its database for a while: slurmctld queues."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "Days that automated backups are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days must be 1 to 35: 0 would switch automated backups off."
  }
}

variable "deletion_protection" {
  description = "RDS refuses to delete the database while this is true; docs/teardown.md says when to switch it off."
  type        = bool
  default     = true
}
