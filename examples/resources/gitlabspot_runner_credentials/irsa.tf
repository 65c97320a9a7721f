# Without an access key: an IAM role for the service account of the manager.
resource "gitlabspot_runner_credentials" "role" {
  mode            = "irsa"
  bucket          = gitlabspot_cache_bucket.ci.bucket
  cluster_name    = "prod"
  namespace       = "gitlab-runner"
  service_account = "gitlab-runner-with-role"
}

# The annotation of the service account contains the ARN of the role.
resource "gitlabspot_runner_release" "with_role" {
  name                    = "gitlab-runner-with-role"
  namespace               = gitlabspot_runner_credentials.role.namespace
  gitlab_url              = "https://gitlab.com/"
  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1

  cache = gitlabspot_cache_bucket.ci.runner_cache
  service_account = {
    name        = gitlabspot_runner_credentials.role.service_account
    annotations = gitlabspot_runner_credentials.role.service_account_annotations
  }
}
