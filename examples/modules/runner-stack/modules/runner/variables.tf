variable "name" {
  description = "Name of the release."
  type        = string
  default     = "gitlab-runner"

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,45}[a-z0-9])?$", var.name))
    error_message = "name must have 1 to 47 lowercase letters, digits and hyphens, and start and end with a letter or digit."
  }
}

variable "cluster_name" {
  description = "Name of the EKS cluster. Defaults to the cluster of the provider's `kubernetes` settings."
  type        = string
  default     = null
}

variable "namespace" {
  description = "Namespace of the runner and its jobs."
  type        = string
  default     = "gitlab-runner"

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must have 1 to 63 lowercase letters, digits and hyphens, and start and end with a letter or digit."
  }
}

variable "create_namespace" {
  description = "Whether the namespace is created if it does not exist. A destroy deletes it if it contains no other objects."
  type        = bool
  default     = true
}

variable "gitlab_url" {
  description = "URL of GitLab."
  type        = string
  default     = "https://gitlab.com/"

  validation {
    condition     = can(regex("^https?://[^/[:space:]]+", var.gitlab_url))
    error_message = "gitlab_url must be a URL that starts with https:// or http://."
  }
}

variable "runner_name" {
  description = "Name of the runner in GitLab. Defaults to the name of the pod."
  type        = string
  default     = null
}

variable "runner_version" {
  description = "Version of GitLab Runner, for example `19.3.0`. Defaults to the default version of the provider."
  type        = string
  default     = null

  validation {
    condition     = var.runner_version == null ? true : can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.runner_version))
    error_message = "runner_version must have three numbers, such as 19.3.0."
  }
}

variable "runner_token" {
  description = "Authentication token (`glrt-...`) of the runner. One of `runner_token`, `registration_token` and `token_secret_name` is required."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition = var.values != null || 1 == sum([
      var.runner_token == null ? 0 : 1, var.registration_token == null ? 0 : 1, var.token_secret_name == null ? 0 : 1
    ])
    error_message = "Set one of runner_token, registration_token and token_secret_name."
  }
}

variable "registration_token" {
  description = "Registration token of a group or project, which GitLab has deprecated. Conflicts with `runner_token` and `token_secret_name`."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "token_version" {
  description = "Arbitrary number. Change it together with the token: write-only values are not compared."
  type        = number
  default     = 1
}

variable "token_secret_name" {
  description = "Name of an existing Secret with the key `runner-token`. Conflicts with `runner_token` and `registration_token`."
  type        = string
  default     = null
}

variable "unregister_on_destroy" {
  description = "Whether a manager pod that registered itself unregisters when it is terminated."
  type        = bool
  default     = true
}

variable "concurrent" {
  description = "Maximum number of concurrent jobs. Defaults to 10."
  type        = number
  default     = null

  validation {
    condition     = var.concurrent == null ? true : var.concurrent >= 1
    error_message = "concurrent must be at least 1."
  }
}

variable "replicas" {
  description = "Number of manager pods. Defaults to 1."
  type        = number
  default     = null
}

variable "build_nodes" {
  description = "Nodes of the jobs: the output `build_nodes` of the module `build-nodes`, or of a `gitlabspot_node_group`. By default jobs run on any node."
  type = object({
    capacity_type = optional(string)
    node_selector = optional(map(string))
    tolerations = optional(list(object({
      key      = optional(string)
      operator = optional(string)
      value    = optional(string)
      effect   = optional(string)
    })))
  })
  default = null
}

variable "cache_bucket" {
  description = "Cache bucket: a `gitlabspot_cache_bucket`, or an object with its `bucket` and `runner_cache`. Defaults to no cache."
  type = object({
    bucket       = string
    runner_cache = any
  })
  default = null
}

variable "cache_credentials" {
  description = "Credentials of the cache: `access_key`, `irsa` or `pod_identity`."
  type        = string
  default     = "access_key"

  validation {
    condition     = contains(["access_key", "irsa", "pod_identity"], var.cache_credentials)
    error_message = "cache_credentials must be access_key, irsa or pod_identity."
  }
}

variable "cache_secret_name" {
  description = "Name of the Secret with the access key of the cache. Defaults to `<name>-s3-access`."
  type        = string
  default     = null
}

variable "rotate_after_days" {
  description = "Maximum age of the access key of the cache in days. Defaults to no rotation."
  type        = number
  default     = null
}

variable "docker_in_docker" {
  description = "Docker-in-Docker service for `docker build` in jobs, which are then privileged. `null` disables it."
  type = object({
    image = optional(string)
    tls   = optional(bool)
  })
  default = null
}

variable "config" {
  description = "Additional keys of `[[runners]]` in config.toml, in snake case. `kubernetes.poll_timeout` defaults to 300 and `kubernetes.poll_interval` to 10 seconds."
  type        = any
  default     = {}
  nullable    = false
}

variable "values" {
  description = "Values files of the official Helm chart, as YAML. The other variables override them."
  type        = list(string)
  default     = null
}

variable "image" {
  description = "Image of the manager, for example in a private registry. Defaults to `registry.gitlab.com/gitlab-org/gitlab-runner`."
  type        = string
  default     = null
}

variable "certs_secret_name" {
  description = "Name of the Secret with the TLS certificates of GitLab, for a private certificate authority."
  type        = string
  default     = null
}

variable "image_pull_secrets" {
  description = "Names of the image pull Secrets of the manager pods."
  type        = list(string)
  default     = []
}

variable "pod_annotations" {
  description = "Annotations of the manager pods."
  type        = map(string)
  default     = null
}

variable "metrics" {
  description = "Whether Prometheus metrics of the manager are enabled, with a Service."
  type        = bool
  default     = true
}

variable "service_monitor" {
  description = "Whether a ServiceMonitor of the metrics is created. Requires `metrics` and the Prometheus operator."
  type        = bool
  default     = false

  validation {
    condition     = !var.service_monitor || var.metrics
    error_message = "service_monitor requires metrics."
  }
}

variable "warm_capacity" {
  description = "Number of jobs for which capacity is reserved, and the schedule of the reservation as cron expressions. Without `schedule` the capacity is always reserved. `null` reserves no capacity."
  type = object({
    pods        = number
    pause_image = optional(string)
    schedule = optional(object({
      start     = string
      end       = string
      time_zone = optional(string, "UTC")
    }))
  })
  default = null

  validation {
    condition     = var.warm_capacity == null ? true : var.warm_capacity.pods >= 1
    error_message = "warm_capacity.pods must be at least 1."
  }

  validation {
    condition = alltrue([
      for cron in try([var.warm_capacity.schedule.start, var.warm_capacity.schedule.end], []) : length(split(" ", cron)) == 5
    ])
    error_message = "start and end of warm_capacity.schedule must be cron expressions with five fields, such as 0 8 * * MON-FRI."
  }
}

variable "tags" {
  description = "Tags of the IAM user or role of the cache."
  type        = map(string)
  default     = null
}
