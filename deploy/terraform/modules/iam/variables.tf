variable "name" {
  description = "Cluster name: only instances tagged slurm-on-aws:cluster = this may be touched."
  type        = string
}

variable "queue_arn" {
  description = "Queue that the daemon reads."
  type        = string
}

variable "lease_table_arn" {
  description = "DynamoDB table of the lease, \"\" while the daemon keeps its state in files."
  type        = string
  default     = ""
}

variable "incidents_table_arn" {
  description = "DynamoDB table of incidents and histories, \"\" while the daemon keeps its state in files."
  type        = string
  default     = ""
}

variable "munge_secret_arn" {
  description = "Secret of the munge key."
  type        = string
}

variable "database_secret_arn" {
  description = "Secret of the database, \"\" when there is none."
  type        = string
  default     = ""
}

variable "controller_secret_arn" {
  description = "Secret of the keys that the controllers share, \"\" when there is none."
  type        = string
  default     = ""
}

variable "controller_names" {
  description = "Node names of the controllers: instances with one of them are never terminated or rebooted."
  type        = list(string)
  default     = ["ctl-1", "ctl-2"]
}

variable "relaunch_controllers" {
  description = "The daemon launches a controller in the place of a lost one: it may pass their role too."
  type        = bool
  default     = true
}

variable "packages_bucket_arn" {
  description = "Bucket of the packages."
  type        = string
}

variable "evidence_arn" {
  description = "Bucket and prefix, as an ARN, below which the daemon puts evidence of faults."
  type        = string
}

variable "launch_template_arns" {
  description = "The templates from which the daemon may launch; nothing else."
  type        = list(string)
}

variable "subnet_arns" {
  description = "The subnets in which it may launch."
  type        = list(string)
}

variable "security_group_arns" {
  description = "The security groups of what it launches."
  type        = list(string)
}

variable "ssm" {
  description = "Let operators in through SSM Session Manager too."
  type        = bool
  default     = false
}
