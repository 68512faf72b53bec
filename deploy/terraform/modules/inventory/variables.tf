variable "directory" {
  description = "The Ansible folder: inventory.ini and group_vars/all are written there."
  type        = string
}

variable "ssh_user" {
  description = "User of the AMI: ubuntu or admin."
  type        = string
}

variable "fixed" {
  description = "Name of a fixed node to kind, private_ip, public_ip and the id of its data volume."
  type        = map(object({ id = string, kind = string, private_ip = string, public_ip = string, data_volume = optional(string, "") }))
}

variable "compute" {
  description = "Name of a compute node to group and private_ip."
  type        = map(object({ group = string, id = string, private_ip = string }))
}

variable "cluster" {
  description = "Further facts for the roles, written as variables."
  type        = any
}

variable "reconcilerd" {
  description = "The daemon's configuration file, as an object (docs/configuration.md)."
  type        = any
}
