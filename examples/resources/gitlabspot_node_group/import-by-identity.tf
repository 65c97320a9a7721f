import {
  to = gitlabspot_node_group.build
  identity = {
    cluster_name = "prod"
    name         = "build-8vcpu-16gb-32gb-1b"
  }
}
