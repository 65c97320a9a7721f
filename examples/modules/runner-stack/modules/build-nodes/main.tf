locals {
  by_requirements = var.instance_types == null
}

data "gitlabspot_spot_instance_types" "found" {
  count = local.by_requirements ? 1 : 0

  vcpus              = var.instance_requirements.vcpus
  memory_gib         = var.instance_requirements.memory_gib
  architecture       = var.instance_requirements.architecture
  exclude            = var.instance_requirements.exclude
  availability_zones = var.availability_zones
  require_all_zones  = var.instance_requirements.require_all_zones
  max_results        = var.instance_requirements.max_results
}

# Spot prices change every day, and a change of the instance types replaces a node group. Therefore, the types of the first
# apply are kept until the requirements change.
resource "terraform_data" "instance_types" {
  count = local.by_requirements ? 1 : 0

  input            = data.gitlabspot_spot_instance_types.found[0].names
  triggers_replace = var.instance_requirements

  lifecycle {
    ignore_changes = [input]

    precondition {
      condition     = length(data.gitlabspot_spot_instance_types.found[0].names) > 0
      error_message = "No instance type of these zones meets instance_requirements."
    }
  }
}

resource "gitlabspot_node_group" "this" {
  cluster_name       = var.cluster_name
  name               = var.name
  availability_zones = var.availability_zones
  subnet_ids         = var.subnet_ids

  capacity_type  = var.capacity_type
  instance_types = local.by_requirements ? terraform_data.instance_types[0].input : var.instance_types
  min_size       = var.min_size
  max_size       = var.max_size

  labels = var.labels == null ? { build-nodes = var.name } : var.labels
  taints = var.taints == null ? [{ key = "build-nodes", value = var.name, effect = "NoSchedule" }] : var.taints

  node_role_arn = var.node_role_arn
  node_role     = var.node_role_arn == null ? var.node_role : null
  template      = var.template

  tags     = var.tags
  asg_tags = var.asg_tags
}
