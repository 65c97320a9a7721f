terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

provider "gitlabspot" {
  region = "eu-west-1"

  kubernetes = {
    cluster_name = "prod"
  }
}

resource "gitlabspot_node_group" "build" {
  cluster_name   = "prod"
  name           = "build"
  capacity_type  = "SPOT"
  instance_types = ["m5.large", "m5a.large"]
  min_size       = 0
  max_size       = 5
  subnet_ids     = ["subnet-a", "subnet-b"]

  labels = {
    intent = "build"
  }

  taints = [
    {
      key    = "ci"
      value  = "true"
      effect = "NoSchedule"
    },
  ]

  node_role_arn = "arn:aws:iam::123456789012:role/nodes"

  launch_template = {
    id      = "lt-1"
    version = "3"
  }

  ami_type = "AL2023_x86_64_STANDARD"

  update_config = {
    max_unavailable_percentage = 33
  }

  node_repair = true

  tags = {
    team = "ci"
  }
}

resource "gitlabspot_node_group" "of_a" {
  cluster_name   = "prod"
  name           = "of-a"
  capacity_type  = "SPOT"
  instance_types = ["m5.large", "m5a.large"]
  min_size       = 0
  max_size       = 5
  subnet_ids     = ["subnet-a", "subnet-b"]

  labels = {
    intent = "build"
  }

  taints = [
    {
      key    = "ci"
      value  = "true"
      effect = "NoSchedule"
    },
  ]

  node_role_arn = "arn:aws:iam::123456789012:role/nodes"

  launch_template = {
    id      = "lt-1"
    version = "3"
  }

  ami_type = "AL2023_x86_64_STANDARD"

  update_config = {
    max_unavailable_percentage = 33
  }

  node_repair = true

  tags = {
    team = "ci"
  }
}

resource "gitlabspot_node_group" "of_b" {
  cluster_name   = "prod"
  name           = "of-b"
  capacity_type  = "SPOT"
  instance_types = ["m5.large", "m5a.large"]
  min_size       = 0
  max_size       = 5
  subnet_ids     = ["subnet-a", "subnet-b"]

  labels = {
    intent = "build"
  }

  taints = [
    {
      key    = "ci"
      value  = "true"
      effect = "NoSchedule"
    },
  ]

  node_role_arn = "arn:aws:iam::123456789012:role/nodes"

  launch_template = {
    id      = "lt-1"
    version = "3"
  }

  ami_type = "AL2023_x86_64_STANDARD"

  update_config = {
    max_unavailable_percentage = 33
  }

  node_repair = true

  tags = {
    team = "ci"
  }
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket                     = "my-cache"
  cache_path                 = "ci"
  expiration_days            = 30
  noncurrent_expiration_days = 7
  versioning                 = true
  force_destroy              = true
}

resource "gitlabspot_runner_credentials" "cache" {
  mode        = "access_key"
  name        = "cache"
  path        = "/ci/"
  cache_path  = "ci"
  bucket      = gitlabspot_cache_bucket.cache.bucket
  namespace   = "ci"
  secret_name = "cache-key"
}

resource "gitlabspot_runner_release" "runner" {
  name                    = "runner"
  namespace               = "ci"
  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1
  gitlab_url              = "https://gitlab.com/"
  runner_version          = "18.9.0"

  config = {
    cache = {
      path   = "ci"
      shared = true
      type   = "s3"
      s3 = {
        bucket_location = "eu-west-1"
        bucket_name     = gitlabspot_cache_bucket.cache.bucket
      }
    }
  }

  concurrent        = 4
  cache_secret_name = gitlabspot_runner_credentials.cache.secret_name

  service_account = {
    create = false
  }

  rbac = {
    create = false
  }

  pod_annotations = {
    "a.b/c" = "1"
  }

  restart_on = {
    credentials = gitlabspot_runner_credentials.cache.secret_hash
  }
}
import {
  to = gitlabspot_node_group.build
  id = "prod:build"
}

import {
  to = gitlabspot_node_group.of_a
  id = "prod:of-a"
}

import {
  to = gitlabspot_node_group.of_b
  id = "prod:of-b"
}

import {
  to = gitlabspot_cache_bucket.cache
  id = "my-cache"
}

import {
  to = gitlabspot_runner_credentials.cache
  id = "ci/cache-key:cache"
}

import {
  to = gitlabspot_runner_release.runner
  id = "ci/runner"
}

removed {
  from = aws_eks_node_group.build

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.nodes.aws_eks_node_group.of

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_s3_bucket.cache

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_s3_bucket_lifecycle_configuration.cache

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_s3_bucket_versioning.cache

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_iam_access_key.cache

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_iam_user.cache

  lifecycle {
    destroy = false
  }
}

removed {
  from = kubernetes_secret.cache

  lifecycle {
    destroy = false
  }
}

removed {
  from = helm_release.runner

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_autoscaling_group_tag.label

  lifecycle {
    destroy = false
  }
}
variable "runner_token" {
  description = "Authentication token (glrt-...) of the runner. The Secret of the release runner has it."
  type        = string
  sensitive   = true
  ephemeral   = true
}
