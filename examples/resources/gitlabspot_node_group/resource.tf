# Spot nodes for build jobs, and none while there is nothing to build. The taint keeps everything else away.
resource "gitlabspot_node_group" "build" {
  cluster_name = "prod"
  name         = "build-8vcpu-16gb-32gb-1b"

  instance_types = [
    "c5a.2xlarge",
    "t3.2xlarge",
    "c5.2xlarge",
    "c5ad.2xlarge",
    "m5.2xlarge",
    "c5d.2xlarge",
  ]
  min_size           = 0
  max_size           = 5
  availability_zones = ["af-south-1b"]

  labels = {
    "nodegroup-type" = "stateless"
    "instance-type"  = "spot"
    "intent"         = "build"
  }
  taints = [{ key = "buildInstance", value = "true", effect = "NoSchedule" }]

  # Made with the group. What runs elsewhere in the cluster, such as the autoscaler, has its own rights.
  node_role = {}

  remote_access = {
    ec2_ssh_key               = "your-ssh-key"
    source_security_group_ids = ["sg-0123456789abcdef0"]
  }
}

# Add-ons whose pods use the role of the nodes: they reach it through one hop more than the nodes themselves, which a launch
# template allows. It needs neither an instance type nor a subnet.
resource "gitlabspot_node_group" "addons" {
  cluster_name       = "prod"
  name               = "addons"
  capacity_type      = "ON_DEMAND"
  instance_types     = ["m6i.large", "m5.large"]
  min_size           = 2
  max_size           = 4
  availability_zones = ["af-south-1a", "af-south-1b"]
  node_role          = { addon_policies = ["auto_scaler", "cert_manager", "external_dns"] }
  launch_template    = { name = "addons", version = "1" } # metadata_options { http_put_response_hop_limit = 2 }
}

# A role that exists, subnets by name, a name that lets a new group stand beside the old one, and settings of the
# autoscaler for this group alone.
resource "gitlabspot_node_group" "large" {
  cluster_name   = "prod"
  name_prefix    = "large-"
  instance_types = ["m5.8xlarge", "m5a.8xlarge", "m5d.8xlarge"]
  max_size       = 3
  subnet_ids     = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  node_role_arn  = "arn:aws:iam::123456789012:role/nodes"
  labels         = { "intent" = "large" }
  asg_tags       = { "cost-center" = "ci" }

  autoscaler = {
    resources = { "ephemeral-storage" = "100G" }
    options   = { scale_down_unneeded_time = "5m" }
  }

  lifecycle {
    create_before_destroy = true
  }
}
