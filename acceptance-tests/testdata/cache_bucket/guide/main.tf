terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

variable "bucket" {
  type = string
}

variable "expiration_days" {
  type    = number
  default = 60
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket          = var.bucket
  expiration_days = var.expiration_days
}
