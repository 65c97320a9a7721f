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

# The nodes: large, cheap, and none of them while nobody builds. Labels and taint are put on the Auto Scaling
# Group as tags too: without them the autoscaler would not know what a new node looks like, and would never
# start the first one.
resource "gitlabspot_node_group" "build" {
  cluster_name       = var.cluster_name
  name               = "build-8vcpu-16gb-32gb-1b"
  availability_zones = var.availability_zones

  # All with 8 vCPUs, in order of preference: AMD first, a few cents cheaper.
  capacity_type = "SPOT"
  instance_types = [
    "c5a.2xlarge",
    "t3.2xlarge",
    "c5.2xlarge",
    "c5ad.2xlarge",
    "m5.2xlarge",
    "c5d.2xlarge",
  ]

  desired_size = 0
  min_size     = 0
  max_size     = 5

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
}

# The cache: each job starts on a node that knows nothing, and finds here what the last one left. A cache that
# nobody has written for 60 days goes away by itself.
resource "gitlabspot_cache_bucket" "cache" {
  bucket          = var.cache_bucket
  expiration_days = 60
}

# Who may use it: an IAM user with no more than the bucket. Its secret key is in the Kubernetes Secret, and
# nowhere else.
resource "gitlabspot_runner_credentials" "cache" {
  mode             = "access_key"
  bucket           = gitlabspot_cache_bucket.cache.bucket
  namespace        = var.namespace
  create_namespace = true
  secret_name      = "gitlab-runner-s3-access"
}

# The runner itself: one small pod that asks GitLab for jobs and starts a pod for each.
resource "gitlabspot_runner_release" "runner" {
  name       = "gitlab-runner"
  namespace  = gitlabspot_runner_credentials.cache.namespace
  gitlab_url = var.gitlab_url

  # Never in plan or state; the version says when it is another one.
  runner_name                   = "gitlab-k8s-runner"
  registration_token_wo         = var.registration_token
  registration_token_wo_version = var.token_version
  runner_token_wo               = var.runner_token
  runner_token_wo_version       = var.token_version
  unregister_on_destroy         = true

  # Jobs go to the nodes above: required labels, preferred Spot, tolerated taint.
  build_nodes = gitlabspot_node_group.build.build_nodes

  # [runners.cache], and the Secret with its credentials. New credentials restart the runner.
  cache             = gitlabspot_cache_bucket.cache.runner_cache
  cache_secret_name = gitlabspot_runner_credentials.cache.secret_name
  restart_on        = { credentials = gitlabspot_runner_credentials.cache.secret_hash }

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

  metrics         = { enabled = true }
  service         = { enabled = true }
  service_monitor = { enabled = true } # needs the Prometheus operator
  rbac            = { create = true }
}
