# Spot nodes for build jobs, and none while there are no jobs. The taint prevents other pods from running on them.
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

  # Role that is created with the group. Pods of the add-ons can use it, because the launch template has a hop limit of 2.
  node_role = { addon_policies = ["auto_scaler", "cert_manager", "external_dns"] }

  # Further settings of the launch template, which is also created with the group.
  template = {
    key_name           = "your-ssh-key"
    security_group_ids = ["sg-0123456789abcdef0"]
    root_volume        = { size = 80 }
  }
}

# Local NVMe disks for images and job files, a mirror for images, and no credentials for jobs.
resource "gitlabspot_node_group" "nvme" {
  cluster_name       = "prod"
  name               = "nvme"
  instance_types     = ["c5ad.2xlarge", "c5d.2xlarge", "m5ad.2xlarge", "m5d.2xlarge"]
  max_size           = 5
  availability_zones = ["af-south-1a", "af-south-1b"]
  node_role          = {}

  template = {
    instance_store   = "raid0"
    metadata         = { pods = false }
    registry_mirrors = { "docker.io" = ["https://mirror.example.com"] }
    kubelet          = { image_gc_high_threshold_percent = 80, image_gc_low_threshold_percent = 60 }
    instance_tags    = { "cost-center" = "ci" }
  }
}

# An existing role and launch template, subnets by ID, a name prefix, so that a new group is created before the old one is
# destroyed, and settings of the cluster autoscaler for this group.
resource "gitlabspot_node_group" "large" {
  cluster_name    = "prod"
  name_prefix     = "large-"
  instance_types  = ["m5.8xlarge", "m5a.8xlarge", "m5d.8xlarge"]
  max_size        = 3
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  node_role_arn   = "arn:aws:iam::123456789012:role/nodes"
  launch_template = { name = "large", version = "1" }
  labels          = { "intent" = "large" }
  asg_tags        = { "cost-center" = "ci" }

  autoscaler = {
    resources = { "ephemeral-storage" = "100G" }
    options   = { scale_down_unneeded_time = "5m" }
  }

  lifecycle {
    create_before_destroy = true
  }
}
