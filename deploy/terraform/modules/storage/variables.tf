variable "name" {
  description = "Cluster name, in the names of everything."
  type        = string
}

variable "efs" {
  description = "Make the EFS file system for StateSaveLocation."
  type        = bool
  default     = true
}

variable "private_subnet_ids" {
  description = "Zone to private subnet id: one mount target each."
  type        = map(string)
}

variable "security_group_id" {
  description = "Group that lets the cluster in on port 2049."
  type        = string
}
