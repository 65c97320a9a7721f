# A node group with a launch template of the provider's; what a test changes is a variable.
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

variable "template" {
  type    = any
  default = null
}

variable "addon_policies" {
  type    = set(string)
  default = ["cert_manager", "auto_scaler", "external_dns"]
}

variable "ami_type" {
  type    = string
  default = null
}

variable "disk_size" {
  type    = number
  default = null
}

variable "remote_access" {
  type    = any
  default = null
}

variable "release_version" {
  type    = string
  default = null
}

resource "gitlabspot_node_group" "build" {
  cluster_name       = "prod"
  name               = "build-8vcpu-16gb-32gb-1b"
  instance_types     = ["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"]
  max_size           = 5
  availability_zones = ["af-south-1b"]
  labels             = { intent = "build" }
  taints             = [{ key = "buildInstance", value = "true", effect = "NoSchedule" }]
  node_role          = { name = "ci-nodes", addon_policies = var.addon_policies }
  ami_type           = var.ami_type
  disk_size          = var.disk_size
  remote_access      = var.remote_access
  release_version    = var.release_version
  template           = var.template
}
