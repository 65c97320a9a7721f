# A cache, and what a runner needs to use it.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  kubernetes = { cluster_name = "prod" }
}

variable "mode" {
  default = "access_key"
}

variable "namespace" {
  type = string
}

variable "cache_path" {
  default = ""
}

variable "bucket_key" {
  description = "The KMS key with which the bucket is encrypted."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "The KMS key that the runner may use."
  type        = string
  default     = null
}

variable "policy" {
  type    = string
  default = null
}

variable "service_account" {
  type    = string
  default = null
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket        = var.namespace
  cache_path    = var.cache_path
  force_destroy = true
  encryption    = var.bucket_key == null ? null : { sse_algorithm = "aws:kms", kms_key_id = var.bucket_key }
}

resource "gitlabspot_runner_credentials" "cache" {
  mode            = var.mode
  bucket          = gitlabspot_cache_bucket.cache.bucket
  cache_path      = gitlabspot_cache_bucket.cache.cache_path
  kms_key_arn     = var.kms_key_arn
  policy          = var.policy
  name            = "ci-cache"
  namespace       = var.namespace
  service_account = var.service_account
}
