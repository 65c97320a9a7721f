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

variable "runner_token" {
  type      = string
  ephemeral = true
  default   = "glrt-x"
}

# Whatever is to be tried.
variable "kubernetes" {
  type    = any
  default = {}
}

# Has null for what it does not set.
variable "cache" {
  type = object({
    type = optional(string)
    path = optional(string)
    s3 = optional(object({
      bucket_name    = optional(string)
      server_address = optional(string)
    }))
  })
  default = null
}

variable "proxy" {
  type      = string
  sensitive = true
  default   = "http://user:very-secret@proxy"
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

# Its id is unknown until it is there.
resource "terraform_data" "revision" {}

resource "gitlabspot_runner_release" "runner" {
  namespace        = var.namespace
  create_namespace = true
  gitlab_url       = "https://gitlab.com/"

  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1

  config = {
    environment  = ["REVISION=${terraform_data.revision.id}", "HTTPS_PROXY=${var.proxy}"]
    limit        = "3"
    output_limit = null
    kubernetes   = var.kubernetes
  }
  cache     = var.cache
  extra_env = { HTTPS_PROXY = var.proxy }
}
