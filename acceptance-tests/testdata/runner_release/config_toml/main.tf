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

  registration_token_wo         = var.registration_token
  registration_token_wo_version = 1

  config_toml = <<-EOT
    concurrent = 5
    [[runners]]
      environment = ["DOCKER_HOST=tcp://docker:2376"]
      [runners.cache]
        Type = "s3"
        Shared = true
      [runners.cache.s3]
        ServerAddress = "s3.amazonaws.com"
        BucketName = "your-cache-bucket"
        BucketLocation = "eu-west-1"
      [runners.kubernetes]
        namespace = "{{.Release.Namespace}}"
        image = "docker:19.03.12"
        privileged = true
        cpu_request = "2"
  EOT
}
