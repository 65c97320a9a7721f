# Releases of Helm and of this provider, in all namespaces.
list "gitlabspot_runner_release" "all" {
  provider = gitlabspot

  config {
    cluster_name = "prod"
  }
}
