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

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_runner_release" "runner" {
  namespace               = var.namespace
  create_namespace        = true
  gitlab_url              = "https://gitlab.com/"
  runner_token_wo         = "glrt-x"
  runner_token_wo_version = 1

  config = {
    kubernetes = {
      cpu_request               = "2"
      memory_request            = "4Gi"
      ephemeral_storage_request = "10Gi"
      helper_cpu_request        = "500m"
      helper_memory_request     = "1Gi"
      poll_timeout              = 300
      node_selector             = { intent = "build" }
      node_tolerations          = { "buildInstance=true" = "NoSchedule" }
    }
  }
}

resource "gitlabspot_warm_capacity" "warm" {
  name      = "warm"
  namespace = gitlabspot_runner_release.runner.namespace
  pods      = 1
  pod       = gitlabspot_runner_release.runner.job_pod

  # The namespace is the release's.
  depends_on = [gitlabspot_runner_release.runner]
}
