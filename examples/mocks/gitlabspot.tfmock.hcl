mock_resource "gitlabspot_node_group" {
  defaults = {
    id                      = "prod:build"
    capacity_type           = "SPOT"
    min_size                = 0
    availability_zones      = ["eu-west-1a"]
    subnet_ids              = ["subnet-00000000000000000"]
    node_role_arn           = "arn:aws:iam::111122223333:role/build"
    ami_type                = "AL2023_x86_64_STANDARD"
    disk_size               = 20
    version                 = "1.33"
    release_version         = "1.33.0-20260101"
    node_repair             = false
    arn                     = "arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/00000000-0000-0000-0000-000000000000"
    status                  = "ACTIVE"
    autoscaling_group_names = ["eks-build-00000000"]
  }
}

mock_resource "gitlabspot_cache_bucket" {
  defaults = {
    expiration_days                 = 60
    cache_path                      = ""
    shared                          = true
    prefix                          = "project/"
    noncurrent_expiration_days      = 1
    abort_incomplete_multipart_days = 1
    versioning                      = false
    tls_only                        = true
    force_destroy                   = false
    id                              = "runner-cache"
    arn                             = "arn:aws:s3:::runner-cache"
    region                          = "eu-west-1"
    runner_cache = {
      type   = "s3"
      path   = ""
      shared = true
      s3 = {
        server_address  = "s3.amazonaws.com"
        bucket_name     = "runner-cache"
        bucket_location = "eu-west-1"
        insecure        = false
      }
    }
  }
}

mock_resource "gitlabspot_runner_credentials" {
  defaults = {
    cache_path       = ""
    policy           = "least_privilege"
    name             = "runner-cache"
    path             = "/"
    create_namespace = false
    secret_name      = "gitlab-runner-s3-access"
    id               = "gitlab-runner/gitlab-runner-s3-access:runner-cache"
    access_key_id    = "AKIA0000000000000000"
    user_arn         = "arn:aws:iam::111122223333:user/runner-cache"
    role_arn         = "arn:aws:iam::111122223333:role/runner-cache"
  }
}

mock_resource "gitlabspot_runner_release" {
  defaults = {
    id               = "gitlab-runner/gitlab-runner"
    name             = "gitlab-runner"
    namespace        = "gitlab-runner"
    create_namespace = false
    wait             = true
    status           = "available"
    job_pod = {
      cpu               = "2"
      memory            = "4Gi"
      ephemeral_storage = "10Gi"
      node_selector     = { intent = "build" }
      tolerations       = []
    }
  }
}

mock_resource "gitlabspot_warm_capacity" {
  defaults = {
    id          = "gitlab-runner/warm"
    priority    = -10
    pause_image = "registry.k8s.io/pause:3.10"
  }
}

mock_data "gitlabspot_spot_instance_types" {
  defaults = {
    names = ["c5a.2xlarge", "m5.2xlarge"]
  }
}
