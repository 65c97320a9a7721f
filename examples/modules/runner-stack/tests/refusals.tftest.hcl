# Values that the validation of the variables rejects.

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

run "zones_and_subnets" {
  command = plan

  variables {
    subnet_ids = ["subnet-0123456789abcdef0"]
  }

  expect_failures = [var.availability_zones]
}

run "no_zones" {
  command = plan

  variables {
    availability_zones = null
  }

  expect_failures = [var.availability_zones]
}

run "types_and_requirements" {
  command = plan

  variables {
    instance_requirements = { vcpus = 8 }
  }

  expect_failures = [var.instance_types]
}

run "no_types" {
  command = plan

  variables {
    instance_types = null
  }

  expect_failures = [var.instance_types]
}

run "unknown_capacity_type" {
  command = plan

  variables {
    capacity_type = "spot"
  }

  expect_failures = [var.capacity_type]
}

run "fewer_than_the_minimum" {
  command = plan

  variables {
    min_size = 3
    max_size = 2
  }

  expect_failures = [var.max_size]
}

run "unknown_effect" {
  command = plan

  variables {
    taints = [{ key = "builds", effect = "no_schedule" }]
  }

  expect_failures = [var.taints]
}

run "cluster_name" {
  command = plan

  variables {
    cluster_name = "prod/eu"
  }

  expect_failures = [var.cluster_name]
}

run "name" {
  command = plan

  variables {
    name = "Runner"
  }

  expect_failures = [var.name]
}

run "namespace" {
  command = plan

  variables {
    namespace = "ci_jobs"
  }

  expect_failures = [var.namespace]
}

run "two_tokens" {
  command = plan

  variables {
    registration_token = "GR1348941-of-a-test"
  }

  expect_failures = [var.runner_token]
}

run "no_token" {
  command = plan

  variables {
    runner_token = null
  }

  expect_failures = [var.runner_token]
}

run "no_url" {
  command = plan

  variables {
    gitlab_url = "gitlab.example.com"
  }

  expect_failures = [var.gitlab_url]
}

run "no_version" {
  command = plan

  variables {
    runner_version = "latest"
  }

  expect_failures = [var.runner_version]
}

run "no_jobs" {
  command = plan

  variables {
    concurrent = 0
  }

  expect_failures = [var.concurrent]
}

run "monitor_without_metrics" {
  command = plan

  variables {
    metrics         = false
    service_monitor = true
  }

  expect_failures = [var.service_monitor]
}

run "not_a_cron_expression" {
  command = plan

  variables {
    warm_capacity = { pods = 1, schedule = { start = "08:00", end = "18:00" } }
  }

  expect_failures = [var.warm_capacity]
}

run "no_placeholders" {
  command = plan

  variables {
    warm_capacity = { pods = 0 }
  }

  expect_failures = [var.warm_capacity]
}

run "unknown_credentials" {
  command = plan

  variables {
    cache = { credentials = "password" }
  }

  expect_failures = [var.cache]
}

run "name_of_a_bucket" {
  command = plan

  variables {
    cache = { bucket = "My_Cache" }
  }

  expect_failures = [var.cache]
}

run "two_buckets" {
  command = plan

  variables {
    cache        = { bucket = "own-cache" }
    cache_bucket = { bucket = "shared-cache", runner_cache = {} }
  }

  expect_failures = [var.cache_bucket]
}
