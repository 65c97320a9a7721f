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
  region = "af-south-1"
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket = var.cache_bucket
}

variable "cache_bucket" {
  description = "Name of the cache bucket, unique among all accounts of the AWS partition."
  type        = string
}
