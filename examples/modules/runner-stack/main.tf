locals {
  # The bucket of the stack, or the existing bucket in var.cache_bucket.
  cache_bucket = {
    bucket       = var.cache_bucket == null ? gitlabspot_cache_bucket.this[0].bucket : var.cache_bucket.bucket
    runner_cache = var.cache_bucket == null ? gitlabspot_cache_bucket.this[0].runner_cache : var.cache_bucket.runner_cache
  }
}

module "build_nodes" {
  source = "./modules/build-nodes"

  cluster_name          = var.cluster_name
  name                  = coalesce(var.node_group_name, var.name)
  availability_zones    = var.availability_zones
  subnet_ids            = var.subnet_ids
  capacity_type         = var.capacity_type
  instance_types        = var.instance_types
  instance_requirements = var.instance_requirements
  min_size              = var.min_size
  max_size              = var.max_size
  labels                = var.labels
  taints                = var.taints
  node_role_arn         = var.node_role_arn
  node_role             = var.node_role
  template              = var.template
  tags                  = var.tags
  asg_tags              = var.asg_tags
}

resource "gitlabspot_cache_bucket" "this" {
  count = var.cache_bucket == null ? 1 : 0

  bucket          = var.cache.bucket
  expiration_days = var.cache.expiration_days
  force_destroy   = var.cache.force_destroy
  tags            = var.tags
}

module "runner" {
  source = "./modules/runner"

  name                  = var.name
  cluster_name          = var.cluster_name
  namespace             = var.namespace
  create_namespace      = var.create_namespace
  gitlab_url            = var.gitlab_url
  runner_name           = var.runner_name
  runner_version        = var.runner_version
  runner_token          = var.runner_token
  registration_token    = var.registration_token
  token_version         = var.token_version
  token_secret_name     = var.token_secret_name
  unregister_on_destroy = var.unregister_on_destroy

  build_nodes        = module.build_nodes.build_nodes
  concurrent         = var.concurrent
  docker_in_docker   = var.docker_in_docker
  config             = var.config
  image              = var.image
  certs_secret_name  = var.certs_secret_name
  image_pull_secrets = var.image_pull_secrets
  pod_annotations    = var.pod_annotations
  metrics            = var.metrics
  service_monitor    = var.service_monitor
  warm_capacity      = var.warm_capacity

  cache_bucket      = local.cache_bucket
  cache_credentials = var.cache.credentials
  rotate_after_days = var.cache.rotate_after_days
  tags              = var.tags
}
