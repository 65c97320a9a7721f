# The import keeps the version of GitLab Runner that runs. Set runner_version to update it.
resource "gitlabspot_runner_release" "gitlab_runner" {
  name                          = "gitlab-runner"
  namespace                     = "gitlab-runner"
  registration_token_wo         = var.registration_token
  registration_token_wo_version = 1
  gitlab_url                    = "https://gitlab.com/"
  unregister_on_destroy         = true
  runner_name                   = "gitlab-k8s-runner"

  config = {
    cache = {
      shared = true
      type   = "s3"
      s3 = {
        authentication_type = "access-key"
        bucket_location     = "eu-west-1"
        bucket_name         = "your-cache-bucket"
        insecure            = false
        server_address      = "s3.amazonaws.com"
      }
    }
    kubernetes = {
      affinity = {
        node_affinity = {
          preferred_during_scheduling_ignored_during_execution = [
            {
              preference = {
                match_expressions = [
                  {
                    key      = "eks.amazonaws.com/capacityType"
                    operator = "In"
                    values   = ["SPOT"]
                  },
                ]
              }
              weight = 1
            },
          ]
          required_during_scheduling_ignored_during_execution = {
            node_selector_terms = [
              {
                match_expressions = [
                  {
                    key      = "intent"
                    operator = "In"
                    values   = ["build"]
                  },
                ]
              },
            ]
          }
        }
      }
      cpu_request = "2"
      node_tolerations = {
        "buildInstance=true" = "NoSchedule"
      }
      pod_annotations = {
        "downscaler/exclude" = "true"
      }
      poll_interval = 10
      poll_timeout  = 300
    }
  }

  cache_secret_name = "gitlab-runner-s3-access"

  docker_in_docker = {
    image = "docker:19.03.12"
    tls   = true
  }

  service_account = {
    create = true
  }

  rbac = {
    create = true
  }

  metrics = {
    enabled = true
  }

  service = {
    enabled = true
  }

  service_monitor = {
    enabled = true
  }

  pod_annotations = {
    "downscaler/exclude" = "true"
  }

  image_pull_secrets = ["your-pull-secrets"]
}
import {
  to = gitlabspot_runner_release.gitlab_runner
  id = "gitlab-runner/gitlab-runner"
}
variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
}

variable "registration_token" {
  description = "Registration token of the runner. The Secret of the release gitlab-runner has it."
  type        = string
  sensitive   = true
  ephemeral   = true
}
