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

variable "runner_version" {
  type    = string
  default = null
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_runner_release" "runner" {
  namespace        = var.namespace
  create_namespace = true
  runner_version   = var.runner_version
  values           = [file("${path.module}/values.yaml")]
}
