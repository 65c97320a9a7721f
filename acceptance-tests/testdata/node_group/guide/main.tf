# The guide's node group; what a test changes is a variable, and null is what the provider takes by itself.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  default_tags = { team = "ci" }
}

variable "cluster_name" {
  default = "prod"
}

variable "name" {
  default = "build-8vcpu-16gb-32gb-1b"
}

variable "name_prefix" {
  default = null
}

variable "instance_types" {
  default = ["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"]
}

variable "max_size" {
  default = 5
}

variable "availability_zones" {
  default = ["af-south-1b"]
}

variable "labels" {
  default = {
    "nodegroup-type" = "stateless"
    "instance-type"  = "spot"
    "intent"         = "build"
  }
}

variable "taint" {
  default = { key = "buildInstance", value = "true", effect = "NoSchedule" }
}

variable "add_ons" {
  default = ["cert_manager", "auto_scaler", "external_dns"]
}

variable "role_name" {
  type    = string
  default = null
}

variable "suspend_az_rebalance" {
  type    = bool
  default = null
}

variable "node_role_arn" {
  default = null
}

variable "node_version" {
  type    = string
  default = null
}

variable "release_version" {
  type    = string
  default = null
}

variable "source_security_group_ids" {
  type    = set(string)
  default = null
}

variable "asg_tags" {
  type    = map(string)
  default = null
}

variable "tags" {
  type    = map(string)
  default = null
}

variable "timeouts" {
  type    = object({ create = optional(string), update = optional(string), delete = optional(string) })
  default = null
}

resource "gitlabspot_node_group" "build" {
  cluster_name       = var.cluster_name
  name               = var.name
  name_prefix        = var.name_prefix
  instance_types     = var.instance_types
  desired_size       = 0
  min_size           = 0
  max_size           = var.max_size
  availability_zones = var.availability_zones
  labels             = var.labels
  taints             = [var.taint]
  node_role          = var.node_role_arn == null ? { name = var.role_name, addon_policies = var.add_ons } : null
  node_role_arn      = var.node_role_arn
  version            = var.node_version
  release_version    = var.release_version
  asg_tags           = var.asg_tags
  tags               = var.tags

  remote_access = {
    ec2_ssh_key               = "your-ssh-key"
    source_security_group_ids = var.source_security_group_ids
  }

  suspend_az_rebalance = var.suspend_az_rebalance
  timeouts             = var.timeouts
}

output "build_nodes" {
  value = gitlabspot_node_group.build.build_nodes
}
