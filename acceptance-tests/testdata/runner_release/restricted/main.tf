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

variable "registration_token" {
  type      = string
  ephemeral = true
  default   = "GR1348941-of-a-group"
}

variable "create_namespace" {
  type    = bool
  default = false
}

variable "rbac" {
  type = object({
    create       = optional(bool)
    cluster_wide = optional(bool)
  })
  default = null
}

# Manager pods have either.
variable "autoscaled" {
  type    = bool
  default = false
}

variable "image_missing" {
  type    = bool
  default = false
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_runner_release" "runner" {
  namespace        = var.namespace
  create_namespace = var.create_namespace
  gitlab_url       = "https://gitlab.com/"

  registration_token_wo         = var.registration_token
  registration_token_wo_version = 1

  config = {
    kubernetes = { poll_timeout = 300 }
  }

  rbac                  = var.rbac
  service_account       = { create = true }
  metrics               = { enabled = true }
  service               = { enabled = true }
  service_monitor       = { enabled = true }
  pod_monitor           = { enabled = true }
  pod_disruption_budget = { max_unavailable = "1" }
  pod_annotations       = var.image_missing ? { "local-cloud/image-missing" = "true" } : {}

  hpa = !var.autoscaled ? null : {
    min_replicas = 1
    max_replicas = 1
    metrics      = [{ type = "Resource", resource = { name = "cpu", target = { type = "Utilization", averageUtilization = 90 } } }]
  }
  session_server = var.autoscaled ? null : {
    enabled      = true
    service_type = "ClusterIP"
    public_ip    = "sessions.internal"
    ingress      = { enabled = true }
  }

  timeouts = { update = var.image_missing ? "3s" : null }
}
