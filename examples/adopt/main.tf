# Imports existing objects: the first plan imports four resources, updates attributes that differ from this
# configuration, and creates or replaces nothing. The import blocks can be deleted after the first apply.
#
#   tofu init
#   tofu plan    # all resources are imported, and none is created or replaced
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

# The node group of eksctl, with its role and launch template. The template contains SSH key, disks and metadata
# options, so that remote_access and disk_size are not set. The provider manages the tags of the Auto Scaling Group that
# were added in the console.
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

  # The default for new Spot groups. An imported group keeps its setting unless this is set.
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

# The bucket from the console. Its lifecycle rule is kept beside the rule of the provider until it is deleted manually.
import {
  to = gitlabspot_cache_bucket.cache
  id = var.cache_bucket
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket          = var.cache_bucket
  expiration_days = 60
}

# The IAM user, and the Secret with its access key. The key is kept. Set rotation_trigger to replace it with a new one.
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

# The release of Helm, with the same values file and the version of the runner in use, so that the manager is not
# restarted. Update the version afterwards.
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
