import {
  to = gitlabspot_node_group.build
  id = "prod:build-8vcpu-16gb-32gb-1b"
}
