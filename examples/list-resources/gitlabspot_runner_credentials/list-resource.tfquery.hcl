list "gitlabspot_runner_credentials" "runner" {
  provider = gitlabspot

  config {
    cluster_name = "prod"
    namespace    = "gitlab-runner"
  }
}
