terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

# Interface endpoints with private DNS need no setting. Endpoints without private DNS are set in `endpoints`. All other
# calls use the proxy.
provider "gitlabspot" {
  region           = "af-south-1"
  custom_ca_bundle = "/etc/ssl/certs/example.pem"
  https_proxy      = "http://proxy.internal.example.com:3128"
  no_proxy         = ".vpce.amazonaws.com,.internal.example.com"

  endpoints = {
    autoscaling = "https://vpce-0123456789abcdef0-abcdefgh.autoscaling.af-south-1.vpce.amazonaws.com"
    ec2         = "https://vpce-0123456789abcdef1-abcdefgh.ec2.af-south-1.vpce.amazonaws.com"
    eks         = "https://vpce-0123456789abcdef2-abcdefgh.eks.af-south-1.vpce.amazonaws.com"
    sts         = "https://vpce-0123456789abcdef3-abcdefgh.sts.af-south-1.vpce.amazonaws.com"
  }

  kubernetes = { cluster_name = "prod" }
}

module "runner_stack" {
  source = "../../modules/runner-stack"

  cluster_name       = "prod"
  availability_zones = ["af-south-1a", "af-south-1b"]
  instance_types     = ["c5a.2xlarge", "c5.2xlarge", "m5.2xlarge"]

  gitlab_url        = "https://gitlab.internal.example.com/"
  certs_secret_name = "gitlab-certificates"
  runner_token      = var.runner_token

  # Images of the manager, of jobs and of placeholder pods from a private registry.
  image = "registry.internal.example.com/gitlab-runner:alpine-v19.3.0"

  config = {
    kubernetes = {
      image        = "registry.internal.example.com/alpine:3.22"
      helper_image = "registry.internal.example.com/gitlab-runner-helper:x86_64-v19.3.0"
    }
  }

  warm_capacity = {
    pods        = 2
    pause_image = "registry.internal.example.com/pause:3.10"
  }

  # Mirror for images of Docker Hub in jobs.
  template = {
    root_volume      = { size = 80 }
    registry_mirrors = { "docker.io" = ["https://mirror.internal.example.com"] }
  }
}

variable "runner_token" {
  description = "Authentication token (`glrt-...`) of the runner."
  type        = string
  sensitive   = true
  ephemeral   = true
}
