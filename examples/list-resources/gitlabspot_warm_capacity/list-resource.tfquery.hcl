list "gitlabspot_warm_capacity" "all" {
  provider = gitlabspot

  config {
    cluster_name = "prod"
  }
}
