terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }

  cloud {
    organization = "example"

    workspaces {
      name = "gitlab-runner"
    }
  }
}

# Credentials come from the run: the workspace sets TFC_AWS_PROVIDER_AUTH and the ARNs of the roles.
provider "gitlabspot" {
  region     = "af-south-1"
  kubernetes = { cluster_name = "prod" }

  # A run with credentials of another account is an error.
  allowed_account_ids = ["123456789012"]
}

module "runner_stack" {
  source = "../../modules/runner-stack"

  cluster_name          = "prod"
  availability_zones    = ["af-south-1a", "af-south-1b"]
  instance_requirements = { vcpus = 8, memory_gib = { min = 16, max = 32 } }
  runner_token          = var.runner_token
}

variable "runner_token" {
  description = "Authentication token (`glrt-...`) of the runner."
  type        = string
  sensitive   = true
  ephemeral   = true
}
