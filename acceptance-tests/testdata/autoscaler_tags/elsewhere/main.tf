# The function beside a node group of the same labels and taints, to be compared.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {}

locals {
  labels = { intent = "build", "instance-type" = "spot" }
  taints = [
    { key = "buildInstance", value = "true", effect = "NoSchedule" },
    { key = "soft", value = null, effect = "PreferNoSchedule" },
  ]
}

resource "gitlabspot_node_group" "build" {
  cluster_name       = "prod"
  name               = "build"
  instance_types     = ["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"]
  max_size           = 5
  availability_zones = ["af-south-1a", "af-south-1b"]
  node_role          = {}
  labels             = local.labels
  taints             = local.taints
}

output "plain" {
  value = provider::gitlabspot::autoscaler_tags(local.labels, local.taints)
}

# EKS gives its nodes this label, too, and the resource knows it.
output "with_capacity_type" {
  value = provider::gitlabspot::autoscaler_tags(
    merge(local.labels, { "eks.amazonaws.com/capacityType" = "SPOT" }), local.taints
  )
}

# As EKS spells it, and nothing at all.
output "spelt_by_eks" {
  value = provider::gitlabspot::autoscaler_tags(null, [{ key = "gpu", effect = "NO_SCHEDULE" }])
}

output "nothing" {
  value = provider::gitlabspot::autoscaler_tags({}, [])
}
