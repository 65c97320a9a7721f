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

# Without it an import keeps the version that runs.
variable "runner_version" {
  type    = string
  default = null
}

variable "restart_on" {
  type    = map(string)
  default = null
}

variable "job_namespace" {
  type    = string
  default = null
}

variable "extra_env" {
  type    = map(string)
  default = { PASSWORD = "of-the-pod" }
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name = var.cluster_name
  }
}

resource "gitlabspot_runner_release" "runner" {
  namespace      = var.namespace
  gitlab_url     = "https://gitlab.com/"
  runner_name    = "a runner"
  runner_version = var.runner_version
  job_namespace  = var.job_namespace

  runner_token_wo         = var.runner_token
  runner_token_wo_version = var.runner_token_version

  config = {
    kubernetes = {
      image = "alpine"
    }
  }
  concurrent        = var.concurrent
  cache_secret_name = "gitlab-runner-s3-access"
  extra_env         = var.extra_env
  restart_on        = var.restart_on

  resources = {
    requests = { cpu = "1000m", memory = "1024Mi" }
  }
}
