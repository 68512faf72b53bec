variable "name" {
  description = "Cluster name, in the names of everything; alarms whose names begin with it are passed on."
  type        = string
}

variable "notify_emails" {
  description = "Addresses that get what needs a person."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for m in var.notify_emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", m))])
    error_message = "notify_emails must be mail addresses such as ops@example.com."
  }
}
