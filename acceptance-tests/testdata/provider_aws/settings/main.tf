# Every AWS setting of the provider block as a variable; null is what the provider finds by itself. What needs AWS is
# counted: searches look only, buckets and node groups are made.
terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

provider "gitlabspot" {
  region                        = var.region
  profile                       = var.profile
  access_key                    = var.access_key
  secret_key                    = var.secret_key
  token                         = var.token
  shared_config_files           = var.shared_config_files
  shared_credentials_files      = var.shared_credentials_files
  assume_role                   = var.assume_role
  assume_role_with_web_identity = var.assume_role_with_web_identity
  endpoints                     = var.endpoints
  s3_use_path_style             = var.s3_use_path_style
  use_fips_endpoint             = var.use_fips_endpoint
  use_dualstack_endpoint        = var.use_dualstack_endpoint
  max_retries                   = var.max_retries
  retry_mode                    = var.retry_mode
  http_proxy                    = var.http_proxy
  https_proxy                   = var.https_proxy
  no_proxy                      = var.no_proxy
  custom_ca_bundle              = var.custom_ca_bundle
  default_tags                  = var.default_tags
  ignore_tags                   = var.ignore_tags
  allowed_account_ids           = var.allowed_account_ids
  forbidden_account_ids         = var.forbidden_account_ids
}

variable "region" {
  type    = string
  default = null
}

variable "profile" {
  type    = string
  default = null
}

variable "access_key" {
  type    = string
  default = null
}

variable "secret_key" {
  type    = string
  default = null
}

variable "token" {
  type    = string
  default = null
}

variable "shared_config_files" {
  type    = list(string)
  default = null
}

variable "shared_credentials_files" {
  type    = list(string)
  default = null
}

variable "assume_role" {
  type = object({
    role_arn        = string
    session_name    = optional(string)
    external_id     = optional(string)
    duration        = optional(string)
    policy          = optional(string)
    policy_arns     = optional(set(string))
    tags            = optional(map(string))
    source_identity = optional(string)
  })
  default = null
}

variable "assume_role_with_web_identity" {
  type = object({
    role_arn                = optional(string)
    session_name            = optional(string)
    web_identity_token      = optional(string)
    web_identity_token_file = optional(string)
    duration                = optional(string)
  })
  default = null
}

variable "endpoints" {
  type = object({
    autoscaling = optional(string)
    ec2         = optional(string)
    eks         = optional(string)
    iam         = optional(string)
    s3          = optional(string)
    sts         = optional(string)
  })
  default = null
}

variable "s3_use_path_style" {
  type    = bool
  default = null
}

variable "use_fips_endpoint" {
  type    = bool
  default = null
}

variable "use_dualstack_endpoint" {
  type    = bool
  default = null
}

variable "max_retries" {
  type    = number
  default = null
}

variable "retry_mode" {
  type    = string
  default = null
}

variable "http_proxy" {
  type    = string
  default = null
}

variable "https_proxy" {
  type    = string
  default = null
}

variable "no_proxy" {
  type    = string
  default = null
}

variable "custom_ca_bundle" {
  type    = string
  default = null
}

variable "default_tags" {
  type    = map(string)
  default = null
}

variable "ignore_tags" {
  type    = object({ keys = optional(set(string)), key_prefixes = optional(set(string)) })
  default = null
}

variable "allowed_account_ids" {
  type    = set(string)
  default = null
}

variable "forbidden_account_ids" {
  type    = set(string)
  default = null
}

variable "searches" {
  default = 0
}

variable "buckets" {
  default = 0
}

variable "bucket" {
  default = "cache"
}

variable "node_groups" {
  default = 0
}

variable "tags" {
  type    = map(string)
  default = null
}

data "gitlabspot_spot_instance_types" "build" {
  count              = var.searches
  vcpus              = 8
  memory_gib         = { min = 16, max = 16 }
  availability_zones = ["af-south-1a"]
  max_results        = 3
}

resource "gitlabspot_cache_bucket" "cache" {
  count  = var.buckets
  bucket = "${var.bucket}-${count.index}"
  tags   = var.tags
}

resource "gitlabspot_node_group" "build" {
  count              = var.node_groups
  cluster_name       = "prod"
  name               = "build-${count.index}"
  instance_types     = ["c5a.2xlarge", "c5.2xlarge", "c5d.2xlarge"]
  max_size           = 5
  availability_zones = ["af-south-1a", "af-south-1b"]
  node_role          = {}
  tags               = var.tags
}
