# The names of the cluster and of the node group.
tofu import gitlabspot_node_group.build prod:build-8vcpu-16gb-32gb-1b
