include "root" {
  path = find_in_parent_folders("root.hcl")
}

terraform {
  source = "../../modules/runner-stack"
}

dependency "cache" {
  config_path = "../cache"

  # Outputs for validations and plans before the bucket exists.
  mock_outputs = {
    cache_bucket = {
      bucket       = "example-runner-cache"
      runner_cache = { type = "s3", s3 = { bucket_name = "example-runner-cache", bucket_location = "af-south-1" } }
    }
  }
  mock_outputs_allowed_terraform_commands = ["validate", "plan"]
}

inputs = {
  cluster_name          = "prod"
  node_group_name       = "builds-small"
  namespace             = "ci-small"
  availability_zones    = ["af-south-1a", "af-south-1b"]
  instance_requirements = { vcpus = 2, memory_gib = { min = 4, max = 8 } }
  max_size              = 10

  # The token is read from the environment and set in a write-only argument: it is not stored in files, plan or state.
  runner_token = get_env("RUNNER_TOKEN_SMALL")
  runner_name  = "small"
  concurrent   = 20
  cache_bucket = dependency.cache.outputs.cache_bucket

  config = {
    kubernetes = {
      cpu_request    = "500m"
      memory_request = "1Gi"
    }
  }

  # Warm capacity in office hours, only for small jobs, because these are the most frequent.
  warm_capacity = {
    pods     = 2
    schedule = { start = "0 8 * * MON-FRI", end = "0 18 * * MON-FRI", time_zone = "Africa/Johannesburg" }
  }
}
