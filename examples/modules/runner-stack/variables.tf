variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name must have 1 to 100 letters, digits, hyphens and underscores, and start with a letter or digit."
  }
}

variable "name" {
  description = "Name of the release. Also the name of the node group, unless `node_group_name` is set."
  type        = string
  default     = "gitlab-runner"

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,45}[a-z0-9])?$", var.name))
    error_message = "name must have 1 to 47 lowercase letters, digits and hyphens, and start and end with a letter or digit."
  }
}

variable "node_group_name" {
  description = "Name of the node group. Defaults to `name`."
  type        = string
  default     = null
}

variable "availability_zones" {
  description = "Availability zones of the nodes. One of `availability_zones` and `subnet_ids` is required."
  type        = set(string)
  default     = null

  validation {
    condition     = (var.availability_zones == null) != (var.subnet_ids == null)
    error_message = "Set one of availability_zones and subnet_ids."
  }
}

variable "subnet_ids" {
  description = "IDs of the subnets of the nodes. One of `availability_zones` and `subnet_ids` is required."
  type        = set(string)
  default     = null
}

variable "capacity_type" {
  description = "Capacity type of the nodes: `SPOT` or `ON_DEMAND`."
  type        = string
  default     = "SPOT"

  validation {
    condition     = contains(["SPOT", "ON_DEMAND"], var.capacity_type)
    error_message = "capacity_type must be SPOT or ON_DEMAND."
  }
}

variable "instance_types" {
  description = "EC2 instance types in order of preference, 1 to 20, all with the same vCPUs and memory. One of `instance_types` and `instance_requirements` is required."
  type        = list(string)
  default     = null

  validation {
    condition     = var.instance_types == null ? true : length(var.instance_types) >= 1 && length(var.instance_types) <= 20
    error_message = "instance_types must have 1 to 20 instance types."
  }

  validation {
    condition     = (var.instance_types == null) != (var.instance_requirements == null)
    error_message = "Set one of instance_types and instance_requirements."
  }
}

variable "instance_requirements" {
  description = <<-EOT
    Required vCPUs and memory (GiB) of the nodes, instead of `instance_types`. The instance types that are cheapest on Spot at
    the first apply are used until the requirements change. A change replaces the node group.
  EOT
  type = object({
    vcpus             = number
    memory_gib        = optional(object({ min = optional(number), max = optional(number) }))
    architecture      = optional(string, "x86_64")
    exclude           = optional(set(string))
    require_all_zones = optional(bool)
    max_results       = optional(number, 6)
  })
  default = null

  validation {
    condition     = var.instance_requirements == null ? true : var.instance_requirements.vcpus > 0
    error_message = "instance_requirements.vcpus must be at least 1."
  }

  validation {
    condition     = var.instance_requirements == null ? true : contains(["x86_64", "arm64"], var.instance_requirements.architecture)
    error_message = "instance_requirements.architecture must be x86_64 or arm64."
  }
}

variable "min_size" {
  description = "Minimum number of nodes. With `0` the nodes cost nothing while there is no work."
  type        = number
  default     = 0

  validation {
    condition     = var.min_size >= 0 && floor(var.min_size) == var.min_size
    error_message = "min_size must be a whole number, at least 0."
  }
}

variable "max_size" {
  description = "Maximum number of nodes."
  type        = number
  default     = 5

  validation {
    condition     = var.max_size >= 1 && var.max_size >= var.min_size && floor(var.max_size) == var.max_size
    error_message = "max_size must be a whole number, at least 1 and at least min_size."
  }
}

variable "labels" {
  description = "Kubernetes labels of the nodes, which the jobs require. Defaults to the label `build-nodes` with the name of the node group."
  type        = map(string)
  default     = null
}

variable "taints" {
  description = "Kubernetes taints of the nodes, which the jobs tolerate. Defaults to the taint `build-nodes` with the name of the node group and the effect `NoSchedule`."
  type = set(object({
    key    = string
    value  = optional(string)
    effect = string
  }))
  default = null

  validation {
    condition = alltrue([
      for taint in coalesce(var.taints, []) : contains(["NoSchedule", "PreferNoSchedule", "NoExecute"], taint.effect)
    ])
    error_message = "The effect of a taint must be NoSchedule, PreferNoSchedule or NoExecute."
  }
}

variable "node_role_arn" {
  description = "ARN of an existing IAM role of the nodes. By default a role is created with the settings in `node_role`."
  type        = string
  default     = null
}

variable "node_role" {
  description = "IAM role that is created for the nodes. `addon_policies` lists the add-ons whose pods use the role."
  type = object({
    name                   = optional(string)
    path                   = optional(string)
    permissions_boundary   = optional(string)
    addon_policies         = optional(set(string))
    additional_policy_arns = optional(set(string))
  })
  default  = {}
  nullable = false
}

variable "template" {
  description = "Settings of the launch template of the nodes: key pair, security groups, root volume (GiB), local NVMe disks, registry mirrors, tags of the instances."
  type = object({
    key_name           = optional(string)
    security_group_ids = optional(set(string))
    instance_store     = optional(string)
    registry_mirrors   = optional(map(list(string)))
    instance_tags      = optional(map(string))
    root_volume = optional(object({
      size       = number
      type       = optional(string)
      iops       = optional(number)
      throughput = optional(number)
      encrypted  = optional(bool)
      kms_key_id = optional(string)
    }), { size = 80 })
  })
  default  = {}
  nullable = false
}

variable "asg_tags" {
  description = "Additional tags of the Auto Scaling Group, which EC2 propagates to the instances."
  type        = map(string)
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
    condition = 1 == sum([
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

variable "cache" {
  description = <<-EOT
    Settings of the cache bucket that the stack creates, and of its credentials: name of the bucket (by default generated),
    number of days until an object expires, whether a destroy deletes the objects, credentials (`access_key`, `irsa` or
    `pod_identity`), and maximum age of the access key in days.
  EOT
  type = object({
    bucket            = optional(string)
    expiration_days   = optional(number, 60)
    force_destroy     = optional(bool, false)
    credentials       = optional(string, "access_key")
    rotate_after_days = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.cache.bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.cache.bucket))
    error_message = "cache.bucket must have 3 to 63 lowercase letters, digits, dots and hyphens, and start and end with a letter or digit."
  }

  validation {
    condition     = var.cache.expiration_days >= 0 && floor(var.cache.expiration_days) == var.cache.expiration_days
    error_message = "cache.expiration_days must be a whole number, at least 0."
  }

  validation {
    condition     = contains(["access_key", "irsa", "pod_identity"], var.cache.credentials)
    error_message = "cache.credentials must be access_key, irsa or pod_identity."
  }
}

variable "cache_bucket" {
  description = "Existing cache bucket: a `gitlabspot_cache_bucket`, or the output `cache_bucket` of another stack. By default the stack creates its own."
  type = object({
    bucket       = string
    runner_cache = any
  })
  default = null

  validation {
    condition     = var.cache_bucket == null || var.cache.bucket == null
    error_message = "Set one of cache_bucket and cache.bucket."
  }
}

variable "tags" {
  description = "Tags of all AWS resources of the stack: node group, IAM roles or user, bucket."
  type        = map(string)
  default     = null
}
