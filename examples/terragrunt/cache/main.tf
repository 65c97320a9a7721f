# Cache of the runners of all sizes.

terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

variable "bucket" {
  description = "Name of the cache bucket, unique among all accounts of the AWS partition."
  type        = string
}

resource "gitlabspot_cache_bucket" "shared" {
  bucket = var.bucket
}

output "cache_bucket" {
  description = "Cache bucket, for `cache_bucket` of the stacks."
  value = {
    bucket       = gitlabspot_cache_bucket.shared.bucket
    runner_cache = gitlabspot_cache_bucket.shared.runner_cache
  }
}
