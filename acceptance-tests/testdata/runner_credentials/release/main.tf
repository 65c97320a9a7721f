# A runner that uses the credentials, and restarts when there are new ones.
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

variable "mode" {
  default = "access_key"
}

variable "rotation_trigger" {
  default = "1"
}

variable "secret_labels" {
  type    = map(string)
  default = null
}

variable "tags" {
  type    = map(string)
  default = null
}

variable "runner_token" {
  type      = string
  ephemeral = true
  default   = "glrt-x"
}

locals {
  has_role = var.mode != "access_key"
}

resource "gitlabspot_runner_credentials" "cache" {
  mode             = var.mode
  bucket           = "ci-cache"
  name             = "ci-cache"
  namespace        = var.namespace
  service_account  = "gitlab-runner"
  rotation_trigger = local.has_role ? null : var.rotation_trigger
  secret_labels    = var.secret_labels
  tags             = var.tags
}

resource "gitlabspot_runner_release" "runner" {
  namespace               = var.namespace
  gitlab_url              = "https://gitlab.com/"
  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1

  cache = {
    type   = "s3"
    shared = true
    s3 = {
      server_address  = "s3.amazonaws.com"
      bucket_name     = gitlabspot_runner_credentials.cache.bucket
      bucket_location = "af-south-1"
    }
  }
  cache_secret_name = local.has_role ? null : gitlabspot_runner_credentials.cache.secret_name
  service_account   = { create = true, annotations = gitlabspot_runner_credentials.cache.service_account_annotations }
  restart_on        = { cache_key = gitlabspot_runner_credentials.cache.secret_hash }
}
