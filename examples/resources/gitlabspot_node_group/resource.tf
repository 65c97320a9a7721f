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

  node_role = {
    addon_policies = {
      auto_scaler  = true
      cert_manager = true
      external_dns = true
    }
  }
  remote_access = { ec2_ssh_key = "your-ssh-key" }
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
