# Managers of values files that were written for Helm, on a real node.
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

variable "files" {
  type = map(string)
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_runner_release" "runner" {
  for_each = var.files

  name          = each.key
  namespace     = var.namespace
  gitlab_url    = var.gitlab_url
  values        = [each.value]
  node_selector = var.node_selector
  tolerations   = var.tolerations
}
