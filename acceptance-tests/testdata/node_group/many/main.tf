# As many node groups as asked for, alike but for their names.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {}

variable "groups" {
  type = number
}

variable "node_role_arn" {
  type = string
}

resource "gitlabspot_node_group" "build" {
  count = var.groups

  cluster_name       = "prod"
  name               = "build-${count.index}"
  instance_types     = ["c5a.2xlarge", "c5.2xlarge", "c5d.2xlarge"]
  max_size           = 5
  availability_zones = ["af-south-1a", "af-south-1b"]
  labels             = { intent = "build", number = tostring(count.index) }
  taints             = [{ key = "buildInstance", value = "true", effect = "NoSchedule" }]
  node_role_arn      = var.node_role_arn
}
