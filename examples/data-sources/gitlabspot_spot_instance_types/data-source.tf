data "gitlabspot_spot_instance_types" "build" {
  vcpus              = 8
  memory_gib         = { min = 16, max = 32 }
  exclude            = ["t3.*"]
  availability_zones = ["af-south-1b"]
  max_results        = 6
}

resource "gitlabspot_node_group" "cheapest" {
  cluster_name       = "prod"
  name               = "build-cheapest"
  instance_types     = data.gitlabspot_spot_instance_types.build.names
  max_size           = 5
  availability_zones = ["af-south-1b"]
  node_role          = {}
}
