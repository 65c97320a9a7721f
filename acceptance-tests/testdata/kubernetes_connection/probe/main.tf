terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

variable "namespace" {
  type = string
}

variable "priority" {
  type = number
}

variable "cluster_name" {
  type    = string
  default = null
}

variable "pods" {
  type    = number
  default = 1
}

variable "create_timeout" {
  type    = string
  default = null
}

# What a test says of the connection stands in a file of its own.
resource "gitlabspot_warm_capacity" "probe" {
  cluster_name = var.cluster_name
  name         = "probe"
  namespace    = var.namespace
  pods         = var.pods
  pod          = { cpu = "1", node_selector = { "no-such" = "node" } }
  priority     = var.priority
  timeouts     = var.create_timeout == null ? null : { create = var.create_timeout, update = var.create_timeout }
}
