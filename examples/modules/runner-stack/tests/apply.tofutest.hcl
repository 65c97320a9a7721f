# Only for OpenTofu: an apply of `terraform test` needs a value for every ephemeral variable, and the stack has two
# alternative token variables.

mock_provider "gitlabspot" {
  mock_resource "gitlabspot_node_group" {
    defaults = {
      id                      = "prod:build"
      arn                     = "arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/00000000-0000-0000-0000-000000000000"
      status                  = "ACTIVE"
      autoscaling_group_names = ["eks-build-00000000"]
    }
  }

  mock_resource "gitlabspot_cache_bucket" {
    defaults = {
      id     = "runner-cache"
      arn    = "arn:aws:s3:::runner-cache"
      region = "eu-west-1"
      runner_cache = {
        type   = "s3"
        path   = ""
        shared = true
        s3 = {
          server_address  = "s3.amazonaws.com"
          bucket_name     = "runner-cache"
          bucket_location = "eu-west-1"
          insecure        = false
        }
      }
    }
  }

  mock_resource "gitlabspot_runner_credentials" {
    defaults = {
      id            = "gitlab-runner/gitlab-runner-s3-access:runner-cache"
      access_key_id = "AKIA0000000000000000"
      user_arn      = "arn:aws:iam::111122223333:user/runner-cache"
      role_arn      = "arn:aws:iam::111122223333:role/runner-cache"
    }
  }

  mock_resource "gitlabspot_runner_release" {
    defaults = {
      id     = "gitlab-runner/gitlab-runner"
      status = "available"
      job_pod = {
        cpu               = "2"
        memory            = "4Gi"
        ephemeral_storage = "10Gi"
        node_selector     = { intent = "build" }
        tolerations       = []
      }
    }
  }

  mock_resource "gitlabspot_warm_capacity" {
    defaults = {
      id = "gitlab-runner/warm"
    }
  }

  mock_data "gitlabspot_spot_instance_types" {
    defaults = {
      names = ["c5a.2xlarge", "m5.2xlarge"]
    }
  }
}

variables {
  cluster_name          = "prod"
  availability_zones    = ["eu-west-1a", "eu-west-1b"]
  instance_requirements = { vcpus = 8, memory_gib = { min = 16, max = 32 } }
  runner_token          = "glrt-of-a-test"
}

run "apply" {
  assert {
    condition     = output.release_id == "gitlab-runner/gitlab-runner"
    error_message = "The stack must have a runner."
  }

  assert {
    condition     = output.cache_bucket.runner_cache.s3.bucket_name == "runner-cache"
    error_message = "Another stack must be able to use the bucket."
  }
}

# The instance types are kept although the data source returns others: changed prices do not replace a node group.
run "other_prices" {
  override_data {
    target = module.build_nodes.data.gitlabspot_spot_instance_types.found
    values = { names = ["m5a.2xlarge"] }
  }

  assert {
    condition     = output.instance_types == tolist(["c5a.2xlarge", "m5.2xlarge"])
    error_message = "The instance types of the first apply must be kept."
  }
}
