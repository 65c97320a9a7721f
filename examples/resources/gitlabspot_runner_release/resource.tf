# A values file of the official Helm chart, without changes.
resource "gitlabspot_runner_release" "helm" {
  name      = "gitlab-runner-helm"
  namespace = "gitlab-runner"
  values    = [file("${path.module}/values.yaml")]
}

# The same settings as attributes, with jobs on the nodes of a node group, and a token that is not stored in the state.
resource "gitlabspot_runner_release" "ci" {
  namespace        = "gitlab-runner"
  create_namespace = true
  gitlab_url       = "https://gitlab.com/"
  runner_name      = "gitlab-k8s-runner"

  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1

  cache             = gitlabspot_cache_bucket.ci.runner_cache
  cache_secret_name = "gitlab-runner-s3-access"
  build_nodes       = gitlabspot_node_group.build.build_nodes
  docker_in_docker  = { image = "docker:28", tls = true }

  config = {
    kubernetes = {
      cpu_request   = "2"
      poll_timeout  = 300
      poll_interval = 10
    }
  }

  metrics = { enabled = true }
  service = { enabled = true }
}

variable "runner_token" {
  type      = string
  sensitive = true
  ephemeral = true
}
