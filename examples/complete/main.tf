# GitLab CI on cheap Spot nodes that exist only while there is work.
#
# Before: an EKS cluster with the cluster-autoscaler, and AWS credentials for it.
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

  # The nodes: large, cheap, and none of them while nobody builds. Labels and taint are put on the Auto Scaling
  # Group as tags too: without them the autoscaler would not know what a new node looks like, and would never
  # start the first one.
  node_group_name    = "build-8vcpu-16gb-32gb-1b"
  availability_zones = var.availability_zones

  # All with 8 vCPUs, in order of preference: AMD first, a few cents cheaper.
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

  # Nothing but jobs may run there.
  taints = [{
    key    = "buildInstance"
    value  = "true"
    effect = "NoSchedule"
  }]

  # A role of their own, with what the cluster's add-ons need where they run on these nodes.
  node_role = {
    addon_policies = ["auto_scaler", "cert_manager", "external_dns"]
  }

  # As eksctl makes it: pods reach the role, and a disk has room for images.
  template = {
    key_name           = var.ec2_ssh_key
    security_group_ids = var.ssh_security_group_ids
    root_volume        = { size = 80 }
  }

  # The cache: each job starts on a node that knows nothing, and finds here what the last one left. A cache that
  # nobody has written for 60 days goes away by itself. The key of its IAM user is in a Kubernetes Secret, and
  # nowhere else.
  cache = {
    bucket          = var.cache_bucket
    expiration_days = 60
    credentials     = "access_key"
  }

  # The runner itself: one small pod that asks GitLab for jobs and starts a pod for each.
  namespace  = var.namespace
  gitlab_url = var.gitlab_url

  # Never in plan or state; the version says when it is another one.
  runner_name        = "gitlab-k8s-runner"
  registration_token = var.registration_token
  runner_token       = var.runner_token
  token_version      = var.token_version

  # `docker build` in jobs: privileged, TLS, certificates in memory.
  docker_in_docker = {
    image = "docker:19.03.12"
    tls   = true
  }

  # The rest of [[runners]].
  config = {
    kubernetes = {
      poll_timeout  = 300 # a node takes two to four minutes to come
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

  # Room for the next job, so that it does not wait for a node; null for none.
  warm_capacity = var.warm_capacity

  metrics         = true
  service_monitor = true # needs the Prometheus operator
}
