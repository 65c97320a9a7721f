# A runner on a real node that uses the credentials, and restarts when there are new ones.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

variable "cluster_name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "gitlab_url" {
  type = string
}

variable "node_selector" {
  type = map(string)
}

variable "tolerations" {
  type = list(object({ key = string, operator = string, value = string, effect = string }))
}

variable "node_tolerations" {
  type = map(string)
}

variable "runner_token" {
  type      = string
  ephemeral = true
}

variable "rotation_trigger" {
  type    = string
  default = "1"
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_runner_credentials" "cache" {
  mode             = "access_key"
  bucket           = "ci-cache"
  name             = "ci-cache"
  namespace        = var.namespace
  rotation_trigger = var.rotation_trigger
}

resource "gitlabspot_runner_release" "runner" {
  namespace               = var.namespace
  gitlab_url              = var.gitlab_url
  check_interval          = 1
  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1

  config = {
    kubernetes = {
      image            = "docker.io/library/busybox:1.35"
      poll_interval    = 1
      poll_timeout     = 300
      node_selector    = var.node_selector
      node_tolerations = var.node_tolerations
    }
  }

  cache = {
    type   = "s3"
    shared = true
    s3 = {
      server_address  = "s3.amazonaws.com"
      bucket_name     = gitlabspot_runner_credentials.cache.bucket
      bucket_location = "af-south-1"
    }
  }
  cache_secret_name = gitlabspot_runner_credentials.cache.secret_name
  restart_on        = { cache_key = gitlabspot_runner_credentials.cache.secret_hash }

  node_selector = var.node_selector
  tolerations   = var.tolerations
}
