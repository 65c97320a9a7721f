# Runs with `tofu test` or `terraform test`, without an AWS account and a cluster.

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

run "the_guides_nodes" {
  command = plan

  assert {
    condition     = module.runner_stack.instance_types[0] == "c5a.2xlarge"
    error_message = "The nodes must prefer the cheapest instance type."
  }
}

run "namespace" {
  command = plan

  variables {
    namespace = "ci"
  }

  assert {
    condition     = output.cache_secret == "ci/gitlab-runner-s3-access"
    error_message = "The Secret of the cache must be in the namespace of the runner."
  }
}
