# Three runners (small, medium and large), each with its own nodes, and a shared cache. A job selects its size with the
# tag of the runner: `tags: [large]`.
#
#   export TF_VAR_cache_bucket=my-runner-cache
#   export TF_VAR_runner_tokens='{"small":"glrt-...","medium":"glrt-...","large":"glrt-..."}'
#   tofu init
#   tofu apply

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
  region     = var.region
  kubernetes = { cluster_name = var.cluster_name }
}

locals {
  sizes = {
    small = {
      instance_requirements = { vcpus = 2, memory_gib = { min = 4, max = 8 } }
      max_size              = 10
      concurrent            = 20
      cpu_request           = "500m"
      memory_request        = "1Gi"
    }
    medium = {
      instance_requirements = { vcpus = 8, memory_gib = { min = 16, max = 32 } }
      max_size              = 5
      concurrent            = 10
      cpu_request           = "2"
      memory_request        = "6Gi"
    }
    large = {
      instance_requirements = { vcpus = 16, memory_gib = { min = 32, max = 64 } }
      max_size              = 2
      concurrent            = 2
      cpu_request           = "14"
      memory_request        = "24Gi"
    }
  }
}

# Cache of the runners of all sizes.
resource "gitlabspot_cache_bucket" "shared" {
  bucket = var.cache_bucket
}

module "runner" {
  source   = "../modules/runner-stack"
  for_each = local.sizes

  cluster_name          = var.cluster_name
  name                  = "gitlab-runner"
  node_group_name       = "builds-${each.key}"
  namespace             = "${var.namespace_prefix}-${each.key}"
  availability_zones    = var.availability_zones
  instance_requirements = each.value.instance_requirements
  max_size              = each.value.max_size

  gitlab_url   = var.gitlab_url
  runner_name  = each.key
  runner_token = var.runner_tokens[each.key]
  concurrent   = each.value.concurrent
  cache_bucket = gitlabspot_cache_bucket.shared

  config = {
    kubernetes = {
      cpu_request    = each.value.cpu_request
      memory_request = each.value.memory_request
    }
  }

  # Warm capacity in office hours, only for small jobs, because these are the most frequent.
  warm_capacity = each.key != "small" ? null : {
    pods     = 2
    schedule = { start = "0 8 * * MON-FRI", end = "0 18 * * MON-FRI", time_zone = "Africa/Johannesburg" }
  }
}
