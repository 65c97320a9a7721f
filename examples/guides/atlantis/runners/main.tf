terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

# The credentials of the server are only allowed to assume this role.
provider "gitlabspot" {
  region     = "af-south-1"
  kubernetes = { cluster_name = "prod" }

  assume_role = {
    role_arn     = "arn:aws:iam::123456789012:role/gitlab-runner"
    session_name = "atlantis"
  }
}

module "runner_stack" {
  source = "../../../modules/runner-stack"

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
