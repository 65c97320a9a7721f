# Instance types by what a job needs; `use` makes a node group of what was found.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {}

variable "vcpus" {
  default = 8
}

variable "memory_gib" {
  type    = object({ min = optional(number), max = optional(number) })
  default = { min = 16, max = 32 }
}

variable "architecture" {
  type    = string
  default = null
}

variable "exclude" {
  type    = set(string)
  default = null
}

variable "availability_zones" {
  type    = set(string)
  default = ["af-south-1a", "af-south-1b"]
}

variable "require_all_zones" {
  type    = bool
  default = null
}

variable "max_results" {
  type    = number
  default = null
}

variable "use" {
  default = false
}

data "gitlabspot_spot_instance_types" "build" {
  vcpus              = var.vcpus
  memory_gib         = var.memory_gib
  architecture       = var.architecture
  exclude            = var.exclude
  availability_zones = var.availability_zones
  require_all_zones  = var.require_all_zones
  max_results        = var.max_results
}

resource "gitlabspot_node_group" "build" {
  count              = var.use ? 1 : 0
  cluster_name       = "prod"
  name               = "found"
  instance_types     = data.gitlabspot_spot_instance_types.build.names
  max_size           = 5
  availability_zones = var.availability_zones
  node_role          = {}
}
