# What was made by hand, taken over where it stands: the first plan imports four things, changes what the provider
# would have made otherwise, and makes nothing anew. The import blocks can go after the first apply.
#
#   tofu init
#   tofu plan    # read it: everything below is "import", nothing is "replace"
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

# The node group that eksctl made, with the role and the launch template that eksctl made for it: SSH key, disks and
# metadata options stand in the template, so that remote_access and disk_size have no place here. Tags that somebody typed
# into the console of the Auto Scaling Group are looked after from now on.
import {
  to = gitlabspot_node_group.build
  id = "${var.cluster_name}:${var.node_group}"
}

resource "gitlabspot_node_group" "build" {
  cluster_name       = var.cluster_name
  name               = var.node_group
  node_role_arn      = var.node_role_arn
  availability_zones = ["af-south-1b"]
  capacity_type      = "SPOT"
  instance_types     = ["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"]
  max_size           = 5

  # A new Spot group has this by itself; one that is taken over keeps what it had unless this says so.
  suspend_az_rebalance = true

  labels = {
    nodegroup-type = "stateless"
    instance-type  = "spot"
    intent         = "build"
  }

  taints = [{
    key    = "buildInstance"
    value  = "true"
    effect = "NoSchedule"
  }]

  launch_template = {
    id      = var.launch_template_id
    version = var.launch_template_version
  }
}

# The bucket from the console. Its lifecycle rule stays beside ours until somebody deletes it.
import {
  to = gitlabspot_cache_bucket.cache
  id = var.cache_bucket
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket          = var.cache_bucket
  expiration_days = 60
}

# The IAM user, and the Secret that its key was pasted into. The key stays; to have another one that nobody has ever
# seen, set rotation_trigger.
import {
  to = gitlabspot_runner_credentials.cache
  id = "${var.namespace}/gitlab-runner-s3-access:${var.iam_user}"
}

resource "gitlabspot_runner_credentials" "cache" {
  mode        = "access_key"
  name        = var.iam_user
  bucket      = gitlabspot_cache_bucket.cache.bucket
  namespace   = var.namespace
  secret_name = "gitlab-runner-s3-access"
}

# The release that Helm installed, from the same values file, and with the runner's version that runs: then the manager
# is not restarted. Raise the version afterwards.
import {
  to = gitlabspot_runner_release.runner
  id = "${var.namespace}/gitlab-runner"
}

resource "gitlabspot_runner_release" "runner" {
  name           = "gitlab-runner"
  namespace      = var.namespace
  runner_version = var.runner_version
  values         = [file(var.values_file)]
  restart_on     = { credentials = gitlabspot_runner_credentials.cache.secret_hash }
}
