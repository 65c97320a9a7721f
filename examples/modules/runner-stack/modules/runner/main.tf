locals {
  has_cache   = var.cache_bucket != null
  has_role    = contains(["irsa", "pod_identity"], var.cache_credentials)
  secret_name = "${var.name}-s3-access"

  # With an access key, the Secret and its namespace must exist before the runner. A role does not need the namespace.
  credentials_create_namespace = var.create_namespace && local.has_cache && !local.has_role
  credentials                  = one(gitlabspot_runner_credentials.cache[*])

  # The first node of a node group that is scaled to zero needs two to four minutes.
  kubernetes = merge({ poll_timeout = 300, poll_interval = 10 }, try(var.config.kubernetes, {}))
}

resource "gitlabspot_runner_credentials" "cache" {
  count = local.has_cache ? 1 : 0

  mode              = var.cache_credentials
  bucket            = var.cache_bucket.bucket
  cluster_name      = var.cluster_name
  namespace         = var.namespace
  create_namespace  = local.credentials_create_namespace
  secret_name       = local.has_role ? null : coalesce(var.cache_secret_name, local.secret_name)
  service_account   = local.has_role ? var.name : null
  rotate_after_days = var.rotate_after_days
  tags              = var.tags
}

resource "gitlabspot_runner_release" "this" {
  name             = var.name
  cluster_name     = var.cluster_name
  namespace        = local.credentials_create_namespace ? local.credentials.namespace : var.namespace
  create_namespace = var.create_namespace && !local.credentials_create_namespace

  gitlab_url                    = var.gitlab_url
  runner_name                   = var.runner_name
  runner_version                = var.runner_version
  runner_token_wo               = var.runner_token
  runner_token_wo_version       = var.token_secret_name == null ? var.token_version : null
  registration_token_wo         = var.registration_token
  registration_token_wo_version = var.token_secret_name == null ? var.token_version : null
  token_secret_name             = var.token_secret_name
  unregister_on_destroy         = var.unregister_on_destroy

  concurrent         = var.concurrent
  replicas           = var.replicas
  build_nodes        = var.build_nodes
  docker_in_docker   = var.docker_in_docker
  config             = merge(var.config, { kubernetes = local.kubernetes })
  values             = var.values
  image              = var.image
  certs_secret_name  = var.certs_secret_name
  image_pull_secrets = var.image_pull_secrets
  pod_annotations    = var.pod_annotations

  cache             = local.has_cache ? var.cache_bucket.runner_cache : null
  cache_secret_name = local.has_cache && !local.has_role ? local.credentials.secret_name : null
  restart_on        = local.has_cache && !local.has_role ? { credentials = local.credentials.secret_hash } : null
  service_account = local.has_cache && local.has_role ? {
    name        = local.credentials.service_account
    annotations = local.credentials.service_account_annotations
  } : null

  metrics         = { enabled = var.metrics }
  service         = { enabled = var.metrics }
  service_monitor = { enabled = var.service_monitor }
  rbac            = { create = true }
}

resource "gitlabspot_warm_capacity" "this" {
  count = var.warm_capacity == null ? 0 : 1

  name         = "${var.name}-warm"
  cluster_name = var.cluster_name
  namespace    = gitlabspot_runner_release.this.namespace
  pods         = var.warm_capacity.pods
  pod          = gitlabspot_runner_release.this.job_pod
  schedule     = var.warm_capacity.schedule
  pause_image  = var.warm_capacity.pause_image
}
