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

  name      = each.key
  namespace = var.namespace
  values    = [each.value]
}
