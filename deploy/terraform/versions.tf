terraform {
  required_version = ">= 1.10.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.69.1"
    }
    local = {
      source  = "hashicorp/local"
      version = "2.9.1"
    }
  }

  # Where: backend.hcl, written by bootstrap/. terraform init -backend-config=backend.hcl
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}
