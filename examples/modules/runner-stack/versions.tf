terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = ">= 0.1"
    }
  }
}
