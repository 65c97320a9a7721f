# Only for OpenTofu: an apply of `terraform test` needs a value for every ephemeral variable, and this example has two
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
  cache_bucket       = "runner-cache"
  registration_token = "GR1348941-of-a-group"
}

run "apply" {
  assert {
    condition     = module.runner_stack.release_id == "gitlab-runner/gitlab-runner"
    error_message = "There must be a runner."
  }

  assert {
    condition     = module.runner_stack.cache_bucket.runner_cache.type == "s3"
    error_message = "The runner must use the bucket."
  }
}
