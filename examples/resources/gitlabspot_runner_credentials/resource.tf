# An IAM user with access to the cache only, and its access key in the Secret gitlab-runner-s3-access.
resource "gitlabspot_runner_credentials" "ci" {
  mode             = "access_key"
  bucket           = gitlabspot_cache_bucket.ci.bucket
  namespace        = "gitlab-runner"
  create_namespace = true

  rotate_after_days = 90
}

# The runner reads the Secret when it starts, and is restarted when the key changes.
resource "gitlabspot_runner_release" "with_key" {
  name                    = "gitlab-runner-with-key"
  namespace               = gitlabspot_runner_credentials.ci.namespace
  gitlab_url              = "https://gitlab.com/"
  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1

  cache             = gitlabspot_cache_bucket.ci.runner_cache
  cache_secret_name = gitlabspot_runner_credentials.ci.secret_name
  restart_on        = { cache_key = gitlabspot_runner_credentials.ci.secret_hash }
}
