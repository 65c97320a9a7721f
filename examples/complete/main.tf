# GitLab CI on Spot nodes that exist only while jobs run.
#
# Prerequisites: an EKS cluster with the cluster autoscaler, and AWS credentials with access to it.
#
#   export TF_VAR_cache_bucket=my-runner-cache TF_VAR_registration_token=...
#   tofu init
#   tofu apply

terraform {
  required_version = ">= 1.11"

  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

provider "gitlabspot" {
  region = var.region

  kubernetes = {
    cluster_name = var.cluster_name
  }
}

module "runner_stack" {
  source = "../modules/runner-stack"

  cluster_name = var.cluster_name
  name         = "gitlab-runner"

  # Build nodes: large Spot instances, and none while there are no jobs. Labels and taints are also set as tags of the
  # Auto Scaling Group, from which the cluster autoscaler derives the template of a node to scale the group from zero.
  node_group_name    = "build-8vcpu-16gb-32gb-1b"
  availability_zones = var.availability_zones

  # Instance types with 8 vCPUs in order of preference: AMD first, because it is a few cents cheaper.
  instance_types = [
    "c5a.2xlarge",
    "t3.2xlarge",
    "c5.2xlarge",
    "c5ad.2xlarge",
    "m5.2xlarge",
    "c5d.2xlarge",
  ]

  min_size = 0
  max_size = 5

  labels = {
    nodegroup-type = "stateless"
    instance-type  = "spot"
    intent         = "build"
  }

  # Only pods that tolerate this taint run on the nodes.
  taints = [{
    key    = "buildInstance"
    value  = "true"
    effect = "NoSchedule"
  }]

  # Creates a node role with the policies of the add-ons that run on these nodes.
  node_role = {
    addon_policies = ["auto_scaler", "cert_manager", "external_dns"]
  }

  # With node_role.addon_policies, the launch template has a hop limit of 2, so that pods can use the role. The root
  # volume has 80 GiB for images, the default of eksctl.
  template = {
    key_name           = var.ec2_ssh_key
    security_group_ids = var.ssh_security_group_ids
    root_volume        = { size = 80 }
  }

  # The cache of jobs in an S3 bucket, from which objects expire 60 days after they were written. The access key of its
  # IAM user is stored in a Kubernetes Secret only.
  cache = {
    bucket          = var.cache_bucket
    expiration_days = 60
    credentials     = "access_key"
  }

  # The manager of the runner: one small pod that requests jobs from GitLab and creates a pod for each.
  namespace  = var.namespace
  gitlab_url = var.gitlab_url

  # Not stored in plan or state. Increase the version when the token changes.
  runner_name        = "gitlab-k8s-runner"
  registration_token = var.registration_token
  runner_token       = var.runner_token
  token_version      = var.token_version

  # Docker-in-Docker service for `docker build` in jobs: privileged, with TLS and certificates in memory.
  docker_in_docker = {
    image = "docker:19.03.12"
    tls   = true
  }

  # Further keys of [[runners]].
  config = {
    kubernetes = {
      poll_timeout  = 300 # the first node needs two to four minutes
      poll_interval = 10
      cpu_request   = "2"
      pod_annotations = {
        "downscaler/exclude" = "true"
      }
    }
  }

  pod_annotations = {
    "downscaler/exclude" = "true"
  }
  image_pull_secrets = var.image_pull_secret == null ? [] : [var.image_pull_secret]

  # Warm capacity for the next jobs, so that they do not wait for a node. null disables it.
  warm_capacity = var.warm_capacity

  metrics         = true
  service_monitor = true # requires the Prometheus operator
}
