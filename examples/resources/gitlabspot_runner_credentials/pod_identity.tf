# An IAM role with EKS Pod Identity, which needs no annotation of the service account.
resource "gitlabspot_runner_credentials" "pods" {
  mode            = "pod_identity"
  bucket          = gitlabspot_cache_bucket.ci.bucket
  cluster_name    = "prod"
  namespace       = "gitlab-runner"
  service_account = "gitlab-runner"
}
