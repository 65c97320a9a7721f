# A node group with every attribute that does not exclude another; what changes in place is a variable.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  default_tags = { team = "ci" }
  ignore_tags  = { keys = ["last-seen"], key_prefixes = ["backup:"] }
}

variable "subnet_ids" {
  type = set(string)
}

variable "source_security_group_ids" {
  type    = set(string)
  default = null
}

variable "sizes" {
  default = { min = 1, max = 5, desired = 2 }
}

variable "labels" {
  default = { intent = "build", "example.org/pool" = "large" }
}

variable "taints" {
  type = set(object({ key = string, value = optional(string), effect = string }))
  default = [
    { key = "build", value = "true", effect = "NoSchedule" },
    { key = "soft", effect = "PreferNoSchedule" },
    { key = "hard", value = "x", effect = "NoExecute" },
  ]
}

variable "additional_policy_arns" {
  default = ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
}

variable "permissions_boundary" {
  default = "arn:aws:iam::aws:policy/PowerUserAccess"
}

variable "addon_policies" {
  default = [
    "auto_scaler",
    "cert_manager",
    "external_dns",
    "image_builder",
    "ebs",
    "efs",
    "fsx",
    "aws_load_balancer_controller",
    "xray",
    "cloud_watch",
  ]
}

variable "versions" {
  default = { kubernetes = "1.33", release = "1.33.0-20251103" }
}

variable "update_config" {
  type = object({
    max_unavailable            = optional(number)
    max_unavailable_percentage = optional(number)
    update_strategy            = optional(string)
  })
  default = { max_unavailable_percentage = 50, update_strategy = "MINIMAL" }
}

variable "node_repair" {
  default = true
}

variable "autoscaler" {
  type = object({
    tags      = optional(bool)
    resources = optional(map(string))
    options = optional(object({
      scale_down_utilization_threshold     = optional(number)
      scale_down_gpu_utilization_threshold = optional(number)
      scale_down_unneeded_time             = optional(string)
      scale_down_unready_time              = optional(string)
      ignore_daemonsets_utilization        = optional(bool)
    }))
  })
  default = {
    resources = { "ephemeral-storage" = "100G", "example.org/license" = "4" }
    options = {
      scale_down_utilization_threshold     = 0.65
      scale_down_gpu_utilization_threshold = 0.5
      scale_down_unneeded_time             = "5m"
      scale_down_unready_time              = "20m"
      ignore_daemonsets_utilization        = true
    }
  }
}

variable "asg_tags" {
  type    = map(string)
  default = { "cost-center" = "ci", "owner" = "builders" }
}

variable "suspend_az_rebalance" {
  default = true
}

variable "tags" {
  type    = map(string)
  default = { cost = "1", stage = "test" }
}

resource "gitlabspot_node_group" "build" {
  cluster_name   = "prod"
  name           = "every"
  capacity_type  = "ON_DEMAND"
  instance_types = ["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"]
  min_size       = var.sizes.min
  max_size       = var.sizes.max
  desired_size   = var.sizes.desired
  subnet_ids     = var.subnet_ids
  labels         = var.labels
  taints         = var.taints
  node_role = {
    name_prefix            = "ci-"
    path                   = "/ci/"
    permissions_boundary   = var.permissions_boundary
    addon_policies         = var.addon_policies
    additional_policy_arns = var.additional_policy_arns
  }
  remote_access = {
    ec2_ssh_key               = "your-ssh-key"
    source_security_group_ids = var.source_security_group_ids
  }
  ami_type             = "AL2023_x86_64_STANDARD"
  disk_size            = 50
  version              = var.versions.kubernetes
  release_version      = var.versions.release
  force_update_version = true
  update_config        = var.update_config
  node_repair          = var.node_repair
  autoscaler           = var.autoscaler
  asg_tags             = var.asg_tags
  suspend_az_rebalance = var.suspend_az_rebalance
  tags                 = var.tags
  timeouts             = { create = "30m", update = "30m", delete = "30m" }
}
