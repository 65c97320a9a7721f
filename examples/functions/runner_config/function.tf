# The value `runners.config` of the official chart, validated at plan.
output "runners" {
  value = provider::gitlabspot::runner_config({
    executor = "kubernetes"
    cache = {
      type   = "s3"
      shared = true
      s3     = { server_address = "s3.amazonaws.com", bucket_name = "example-ci-cache", bucket_location = "af-south-1" }
    }
    kubernetes = {
      cpu_request      = "2"
      poll_timeout     = 300
      node_selector    = { intent = "build" }
      node_tolerations = { "buildInstance=true" = "NoSchedule" }
    }
  })
}

# A complete file with two runners.
output "file" {
  value = provider::gitlabspot::runner_config({
    concurrent = 10
    runners    = [{ name = "small" }, { name = "large", limit = 2 }]
  })
}
