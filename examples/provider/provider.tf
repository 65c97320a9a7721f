terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

# Credentials come from the standard AWS chain: environment, profile, SSO, web identity or instance role.
provider "gitlabspot" {
  region       = "af-south-1"
  default_tags = { team = "ci" }

  # An EKS cluster by name: its address and a token are fetched when a Kubernetes resource first needs them.
  kubernetes = {
    cluster_name = "prod"
  }
}
