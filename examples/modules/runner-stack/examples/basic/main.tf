# Minimal configuration: a cluster, zones, the size of the nodes, and a token.

terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = ">= 0.1"
    }
  }
}

provider "gitlabspot" {
  region     = var.region
  kubernetes = { cluster_name = var.cluster_name }
}

module "runner_stack" {
  source = "../.."

  cluster_name          = var.cluster_name
  availability_zones    = var.availability_zones
  instance_requirements = { vcpus = 8, memory_gib = { min = 16, max = 32 } }
  namespace             = var.namespace
  gitlab_url            = var.gitlab_url
  runner_token          = var.runner_token
}

output "config_toml" {
  description = "Configuration of the runner."
  value       = module.runner_stack.config_toml
}
