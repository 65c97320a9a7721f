# A node group from a launch template, named by id or by name.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {}

variable "launch_template" {
  type = object({ id = optional(string), name = optional(string), version = optional(string) })
}

variable "instance_types" {
  default = ["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"]
}

variable "release_version" {
  type    = string
  default = null
}

variable "node_role_arn" {
  type    = string
  default = null
}

variable "addon_policies" {
  type    = set(string)
  default = null
}

resource "gitlabspot_node_group" "build" {
  cluster_name       = "prod"
  name               = "templated"
  instance_types     = var.instance_types
  max_size           = 5
  availability_zones = ["af-south-1a", "af-south-1b"]
  node_role          = var.node_role_arn == null ? { addon_policies = var.addon_policies } : null
  node_role_arn      = var.node_role_arn
  release_version    = var.release_version
  launch_template    = var.launch_template
}
