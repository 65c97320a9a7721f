variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
}
# The import keeps the role of the nodes. Only a new group needs node_role_arn or node_role.
resource "gitlabspot_node_group" "build_8vcpu_16gb_32gb_1b" {
  cluster_name  = var.cluster_name
  name          = "build-8vcpu-16gb-32gb-1b"
  capacity_type = "SPOT"

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
    nodegroup-type                   = "stateless"
    instance-type                    = "spot"
    intent                           = "build"
    "alpha.eksctl.io/cluster-name"   = var.cluster_name
    "alpha.eksctl.io/nodegroup-name" = "build-8vcpu-16gb-32gb-1b"
  }

  taints = [
    {
      key    = "buildInstance"
      value  = "true"
      effect = "NoSchedule"
    },
  ]

  launch_template = {
    name = "eksctl-${var.cluster_name}-nodegroup-build-8vcpu-16gb-32gb-1b"
  }
}
