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
  cluster_name       = "prod"
  availability_zones = ["eu-west-1a", "eu-west-1b"]
  instance_types     = ["c5a.2xlarge", "c5.2xlarge", "m5.2xlarge"]
  runner_token       = "glrt-of-a-test"
}

run "defaults" {
  command = plan

  assert {
    condition     = output.instance_types == tolist(["c5a.2xlarge", "c5.2xlarge", "m5.2xlarge"])
    error_message = "The nodes must have the instance types of the configuration."
  }

  assert {
    condition     = length(gitlabspot_cache_bucket.this) == 1 && gitlabspot_cache_bucket.this[0].expiration_days == 60
    error_message = "The stack must create a bucket whose objects expire after 60 days."
  }

  assert {
    condition     = output.cache_secret == "gitlab-runner/gitlab-runner-s3-access"
    error_message = "The access key must be in a Secret beside the runner."
  }
}

run "existing_bucket" {
  command = plan

  variables {
    cache_bucket = { bucket = "shared-cache", runner_cache = { type = "s3", s3 = { bucket_name = "shared-cache", bucket_location = "eu-west-1" } } }
  }

  assert {
    condition     = length(gitlabspot_cache_bucket.this) == 0 && output.cache_bucket.bucket == "shared-cache"
    error_message = "The stack must use the bucket and create none."
  }
}

run "roles_instead_of_access_keys" {
  command = plan

  variables {
    cache = { credentials = "pod_identity" }
  }

  assert {
    condition     = output.cache_secret == null
    error_message = "A role needs no Secret."
  }
}
