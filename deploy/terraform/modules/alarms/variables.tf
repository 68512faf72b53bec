variable "name" {
  description = "Cluster name. Every alarm's name begins with it: by that EventBridge passes them to the daemon."
  type        = string
}

variable "gpu_nodes" {
  description = "Name of a GPU node to its instance id (\"\" while it is being replaced)."
  type        = map(string)
}

variable "fixed_nodes" {
  description = "Name of a login, controller, NFS or GlusterFS node to its instance id."
  type        = map(string)
  default     = {}
}

variable "efa_cards" {
  description = "EFA devices that a GPU node must have."
  type        = number
}

variable "queue_name" {
  description = "Queue of the daemon."
  type        = string
}

variable "dead_queue_name" {
  description = "Its dead-letter queue."
  type        = string
}

variable "database_identifier" {
  description = "RDS identifier, \"\" = no database."
  type        = string
  default     = ""
}

variable "people_topic_arn" {
  description = "SNS topic of what needs a person."
  type        = string
}

variable "gpu_temperature_c" {
  description = "A GPU this hot for three minutes is an alarm; an A100 slows down at 93."
  type        = number
  default     = 90

  validation {
    condition     = var.gpu_temperature_c >= 60 && var.gpu_temperature_c <= 100
    error_message = "gpu_temperature_c must be 60 to 100 degrees Celsius."
  }
}

variable "disk_used_percent" {
  description = "A file system of an NFS or GlusterFS server that is this full is an alarm."
  type        = number
  default     = 85

  validation {
    condition     = var.disk_used_percent >= 50 && var.disk_used_percent <= 99
    error_message = "disk_used_percent must be 50 to 99."
  }
}
