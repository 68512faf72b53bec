variable "name" {
  description = "Beginning of the bucket's name, such as prod-a-packages; AWS adds what makes it unique."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,35}$", var.name))
    error_message = "name must be 2 to 36 small letters, digits and dashes: S3 allows 63, of which the unique end takes 26."
  }
}

variable "expire_days" {
  description = "Days after which an object is deleted; 0 = never."
  type        = number
  default     = 0
}

variable "old_versions_days" {
  description = "Days that overwritten and deleted versions are kept."
  type        = number
  default     = 90
}
