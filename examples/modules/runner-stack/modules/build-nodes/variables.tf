variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name must have 1 to 100 letters, digits, hyphens and underscores, and start with a letter or digit."
  }
}

variable "name" {
  description = "Name of the node group."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,62}$", var.name))
    error_message = "name must have 1 to 63 letters, digits, hyphens and underscores, and start with a letter or digit."
  }
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

variable "tags" {
  description = "Tags of the node group and of the IAM role that is created for it."
  type        = map(string)
  default     = null
}

variable "asg_tags" {
  description = "Additional tags of the Auto Scaling Group, which EC2 propagates to the instances."
  type        = map(string)
  default     = null
}
