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
}

variable "runner_token_version" {
  type    = number
  default = 1
}

variable "concurrent" {
  type    = number
  default = null
}

variable "pod_disruption_budget" {
  type    = bool
  default = true
}

variable "image_missing" {
  type    = bool
  default = false
}

variable "update_timeout" {
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
  gitlab_url       = "https://gitlab.com/"
  runner_name      = "gitlab-k8s-runner"

  runner_token_wo         = var.runner_token
  runner_token_wo_version = var.runner_token_version

  cache = {
    type   = "s3"
    shared = true
    s3 = {
      server_address  = "s3.amazonaws.com"
      bucket_name     = "your-cache-bucket"
      bucket_location = "eu-west-1"
    }
  }
  cache_secret_name = "gitlab-runner-s3-access"
  docker_in_docker  = {}
  build_nodes = {
    node_selector = { intent = "build" }
    tolerations   = [{ key = "buildInstance", operator = "Equal", value = "true", effect = "NoSchedule" }]
    capacity_type = "SPOT"
  }
  config = {
    kubernetes = {
      poll_timeout  = 300
      poll_interval = 10
      cpu_request   = "2"
    }
  }
  concurrent = var.concurrent

  resources = {
    requests = { cpu = "1000m", memory = "1024Mi" }
  }
  volumes       = [{ name = "scratch", empty_dir = { size_limit = "1024Mi" } }]
  volume_mounts = [{ name = "scratch", mount_path = "/scratch" }]
  affinity = {
    pod_anti_affinity = {
      preferred_during_scheduling_ignored_during_execution = [{
        weight = 1
        pod_affinity_term = {
          topology_key   = "kubernetes.io/hostname"
          label_selector = { match_labels = { app = "gitlab-runner" } }
        }
      }]
    }
  }
  tolerations     = [{ key = "anything", operator = "Exists" }]
  strategy        = { rolling_update = { max_surge = "1", max_unavailable = "25%" } }
  extra_env       = { EMPTY = "", SET = "1" }
  host_aliases    = [{ ip = "192.0.2.1", hostnames = ["gitlab.internal"] }]
  pod_annotations = var.image_missing ? { "local-cloud/image-missing" = "true" } : {}

  metrics               = { enabled = true }
  service               = { enabled = true }
  service_monitor       = { enabled = true }
  pod_disruption_budget = var.pod_disruption_budget ? { max_unavailable = "1" } : null

  timeouts = { update = var.update_timeout }
}
