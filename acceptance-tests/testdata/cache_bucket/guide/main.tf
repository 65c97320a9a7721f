# The guide's bucket; what a test changes is a variable, and null is what the provider takes by itself.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  region       = var.region
  default_tags = { team = "ci" }
  ignore_tags  = { keys = ["audited"] }
}

variable "region" {
  type    = string
  default = null
}

variable "bucket" {
  type    = string
  default = null
}

variable "bucket_prefix" {
  type    = string
  default = null
}

variable "expiration_days" {
  type    = number
  default = null
}

variable "noncurrent_expiration_days" {
  type    = number
  default = null
}

variable "abort_incomplete_multipart_days" {
  type    = number
  default = null
}

variable "cache_path" {
  type    = string
  default = null
}

variable "shared" {
  type    = bool
  default = null
}

variable "prefix" {
  type    = string
  default = null
}

variable "versioning" {
  type    = bool
  default = null
}

variable "encryption" {
  type = object({
    sse_algorithm      = optional(string)
    kms_key_id         = optional(string)
    bucket_key_enabled = optional(bool)
  })
  default = null
}

variable "tls_only" {
  type    = bool
  default = null
}

variable "force_destroy" {
  type    = bool
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

resource "gitlabspot_cache_bucket" "cache" {
  bucket                          = var.bucket
  bucket_prefix                   = var.bucket_prefix
  expiration_days                 = var.expiration_days
  noncurrent_expiration_days      = var.noncurrent_expiration_days
  abort_incomplete_multipart_days = var.abort_incomplete_multipart_days
  cache_path                      = var.cache_path
  shared                          = var.shared
  prefix                          = var.prefix
  versioning                      = var.versioning
  encryption                      = var.encryption
  tls_only                        = var.tls_only
  force_destroy                   = var.force_destroy
  tags                            = var.tags
  timeouts                        = var.timeouts
}
