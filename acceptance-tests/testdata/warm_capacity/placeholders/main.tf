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

variable "name" {
  type    = string
  default = "warm"
}

variable "pods" {
  type    = number
  default = 2
}

variable "pod" {
  type = object({
    cpu               = optional(string)
    memory            = optional(string)
    ephemeral_storage = optional(string)
    node_selector     = optional(map(string))
    tolerations = optional(list(object({
      key      = optional(string)
      operator = optional(string)
      value    = optional(string)
      effect   = optional(string)
    })))
  })
}

variable "schedule" {
  type = object({
    start     = string
    end       = string
    time_zone = optional(string)
  })
  default = null
}

variable "priority" {
  type    = number
  default = null
}

variable "create_timeout" {
  type    = string
  default = null
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_warm_capacity" "next" {
  name      = var.name
  namespace = var.namespace
  pods      = var.pods
  pod       = var.pod
  schedule  = var.schedule
  priority  = var.priority
  timeouts  = var.create_timeout == null ? null : { create = var.create_timeout }
}
