# An IAM user for the cache, its key in a Secret.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  kubernetes = { cluster_name = "prod" }
}

variable "namespace" {
  type = string
}

variable "tags" {
  default = { cost = "1" }
}

variable "secret_labels" {
  default = { team = "ci" }
}

variable "rotation_trigger" {
  default = "1"
}

resource "gitlabspot_runner_credentials" "cache" {
  mode             = "access_key"
  bucket           = "ci-cache"
  namespace        = var.namespace
  secret_labels    = var.secret_labels
  rotation_trigger = var.rotation_trigger
  tags             = var.tags
}
