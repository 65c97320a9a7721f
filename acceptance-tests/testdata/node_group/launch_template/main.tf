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

resource "gitlabspot_node_group" "build" {
  cluster_name       = "prod"
  name               = "templated"
  instance_types     = ["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"]
  max_size           = 5
  availability_zones = ["af-south-1a", "af-south-1b"]
  node_role          = {}
  launch_template    = var.launch_template
}
