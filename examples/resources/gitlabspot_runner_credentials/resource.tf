# An IAM user that may use the cache and nothing else, and its key in the Secret gitlab-runner-s3-access.
resource "gitlabspot_runner_credentials" "ci" {
  mode             = "access_key"
  bucket           = "example-ci-cache"
  namespace        = "gitlab-runner"
  create_namespace = true

  rotate_after_days = 90
}

# No key at all: an IAM role for the runner's service account.
resource "gitlabspot_runner_credentials" "role" {
  mode            = "irsa"
  bucket          = "example-ci-cache"
  cluster_name    = "prod"
  namespace       = "gitlab-runner"
  service_account = "gitlab-runner"
}
