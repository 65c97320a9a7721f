list "gitlabspot_node_group" "all" {
  provider = gitlabspot

  config {
    cluster_name = "prod"
  }
}
