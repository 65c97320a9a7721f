# The guide's credentials; what a test changes is a variable, and null is what the provider takes by itself.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  kubernetes   = var.kubernetes
  default_tags = { team = "ci" }
}

variable "kubernetes" {
  type    = object({ cluster_name = optional(string), host = optional(string), token = optional(string) })
  default = { cluster_name = "prod" }
}

variable "mode" {
  default = "access_key"
}

variable "bucket" {
  default = "ci-cache"
}

variable "cache_path" {
  default = null
}

variable "kms_key_arn" {
  default = null
}

variable "policy" {
  type    = string
  default = null
}

variable "name" {
  type    = string
  default = "ci-cache"
}

variable "name_prefix" {
  type    = string
  default = null
}

variable "path" {
  default = null
}

variable "permissions_boundary" {
  type    = string
  default = null
}

variable "cluster_name" {
  default = null
}

variable "namespace" {
  type = string
}

variable "create_namespace" {
  type    = bool
  default = null
}

variable "secret_name" {
  default = null
}

variable "secret_labels" {
  type    = map(string)
  default = null
}

variable "secret_annotations" {
  type    = map(string)
  default = null
}

variable "service_account" {
  type    = string
  default = null
}

variable "rotate_after_days" {
  type    = number
  default = null
}

variable "rotation_trigger" {
  type    = string
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

resource "gitlabspot_runner_credentials" "cache" {
  mode                 = var.mode
  bucket               = var.bucket
  cache_path           = var.cache_path
  kms_key_arn          = var.kms_key_arn
  policy               = var.policy
  name                 = var.name
  name_prefix          = var.name_prefix
  path                 = var.path
  permissions_boundary = var.permissions_boundary
  cluster_name         = var.cluster_name
  namespace            = var.namespace
  create_namespace     = var.create_namespace
  secret_name          = var.secret_name
  secret_labels        = var.secret_labels
  secret_annotations   = var.secret_annotations
  service_account      = var.service_account
  rotate_after_days    = var.rotate_after_days
  rotation_trigger     = var.rotation_trigger
  tags                 = var.tags
  timeouts             = var.timeouts
}
