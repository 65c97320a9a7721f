# A runner of which the manager and the jobs run on a real node.
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

variable "create_namespace" {
  type    = bool
  default = false
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

# The same in the runner's spelling.
variable "node_tolerations" {
  type = map(string)
}

variable "runner_token" {
  type      = string
  ephemeral = true
  default   = null
}

variable "registration_token" {
  type      = string
  ephemeral = true
  default   = null
}

variable "runner_token_version" {
  type    = number
  default = null
}

variable "registration_token_version" {
  type    = number
  default = null
}

variable "runner_version" {
  type    = string
  default = null
}

variable "runner_name" {
  type    = string
  default = null
}

variable "replicas" {
  type    = number
  default = null
}

variable "concurrent" {
  type    = number
  default = null
}

variable "unregister_on_destroy" {
  type    = bool
  default = null
}

variable "liveness_probe" {
  type = object({
    initial_delay_seconds = optional(number)
    period_seconds        = optional(number)
    failure_threshold     = optional(number)
  })
  default = null
}

# Whether jobs have the security context that the Pod Security Standard "restricted" asks for.
variable "restricted_jobs" {
  type    = bool
  default = false
}

variable "resources" {
  type    = object({ limits = map(string), requests = map(string) })
  default = null
}

variable "restart_on" {
  type    = map(string)
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

locals {
  restricted_container = {
    run_as_non_root            = true
    run_as_user                = 65534
    allow_privilege_escalation = false
    capabilities               = { drop = ["ALL"] }
  }
}

resource "gitlabspot_runner_release" "runner" {
  namespace             = var.namespace
  create_namespace      = var.create_namespace
  gitlab_url            = var.gitlab_url
  runner_version        = var.runner_version
  runner_name           = var.runner_name
  replicas              = var.replicas
  concurrent            = var.concurrent
  check_interval        = 1
  unregister_on_destroy = var.unregister_on_destroy
  restart_on            = var.restart_on

  runner_token_wo               = var.runner_token
  runner_token_wo_version       = var.runner_token_version
  registration_token_wo         = var.registration_token
  registration_token_wo_version = var.registration_token_version

  config = {
    kubernetes = {
      image            = "docker.io/library/busybox:1.35"
      poll_interval    = 1
      poll_timeout     = 300
      node_selector    = var.node_selector
      node_tolerations = var.node_tolerations

      pod_security_context                        = !var.restricted_jobs ? null : { run_as_non_root = true, seccomp_profile = { type = "RuntimeDefault" } }
      build_container_security_context            = !var.restricted_jobs ? null : local.restricted_container
      helper_container_security_context           = !var.restricted_jobs ? null : local.restricted_container
      init_permissions_container_security_context = !var.restricted_jobs ? null : local.restricted_container
    }
  }

  metrics        = { enabled = true }
  liveness_probe = var.liveness_probe
  resources      = var.resources
  node_selector  = var.node_selector
  tolerations    = var.tolerations

  security_context = {
    allow_privilege_escalation = false
    read_only_root_filesystem  = true
    run_as_non_root            = true
    capabilities               = { drop = ["ALL"] }
  }

  timeouts = var.create_timeout == null ? null : { create = var.create_timeout }
}
