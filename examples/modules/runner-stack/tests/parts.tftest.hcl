# Tests of the nested modules.

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

run "nodes_exist_only_while_there_is_work" {
  command = plan

  module {
    source = "./modules/build-nodes"
  }

  variables {
    cluster_name          = "prod"
    name                  = "builds"
    availability_zones    = ["eu-west-1a"]
    instance_requirements = { vcpus = 8, memory_gib = { min = 16, max = 32 } }
  }

  assert {
    condition     = gitlabspot_node_group.this.min_size == 0 && gitlabspot_node_group.this.capacity_type == "SPOT"
    error_message = "The node group must be on Spot, and able to be empty."
  }

  assert {
    condition     = output.instance_types == tolist(["c5a.2xlarge", "m5.2xlarge"])
    error_message = "The instance types must be those of the data source."
  }

  assert {
    condition     = gitlabspot_node_group.this.labels == tomap({ build-nodes = "builds" })
    error_message = "The nodes must have a label that the jobs require."
  }

  assert {
    condition     = [for taint in gitlabspot_node_group.this.taints : "${taint.key}=${taint.value}:${taint.effect}"] == ["build-nodes=builds:NoSchedule"]
    error_message = "The nodes must have a taint that only the jobs tolerate."
  }
}

run "jobs_wait_for_a_node" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    runner_token  = "glrt-of-a-test"
    config        = { environment = ["LANG=C"], kubernetes = { cpu_request = "2" } }
    warm_capacity = { pods = 2, schedule = { start = "0 8 * * MON-FRI", end = "0 18 * * MON-FRI", time_zone = "Africa/Johannesburg" } }
  }

  assert {
    condition     = gitlabspot_runner_release.this.config.kubernetes.poll_timeout == 300 && gitlabspot_runner_release.this.config.kubernetes.cpu_request == "2"
    error_message = "A job must wait for the first node, and keep the settings of the configuration."
  }

  assert {
    condition     = length(gitlabspot_runner_credentials.cache) == 0 && gitlabspot_runner_release.this.create_namespace
    error_message = "Without a cache there are no credentials, and the release creates the namespace."
  }

  assert {
    condition     = gitlabspot_warm_capacity.this[0].schedule.time_zone == "Africa/Johannesburg" && gitlabspot_warm_capacity.this[0].pods == 2
    error_message = "Capacity for two jobs must be reserved in office hours."
  }
}
