terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

variable "kubernetes" {
  type = any
}

output "one" {
  value = provider::gitlabspot::runner_config({
    executor   = "kubernetes"
    limit      = null
    kubernetes = var.kubernetes
  })
}

output "file" {
  value = provider::gitlabspot::runner_config({
    concurrent = 4
    runners = [
      { name = "small", kubernetes = var.kubernetes },
      { name = "large", cache = { type = "s3", s3 = { bucket_name = "ci" } } },
    ]
  })
}
