# The same through EKS Pod Identity, which knows the service account itself.
resource "gitlabspot_runner_credentials" "pods" {
  mode            = "pod_identity"
  bucket          = gitlabspot_cache_bucket.ci.bucket
  cluster_name    = "prod"
  namespace       = "gitlab-runner"
  service_account = "gitlab-runner"
}
