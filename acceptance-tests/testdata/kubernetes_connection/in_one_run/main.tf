terraform {
  required_providers {
    gitlabspot = {
      source = "gitlabspot/gitlabspot"
    }
  }
}

variable "namespace" {
  type = string
}

variable "priority" {
  type = number
}

# What makes and removes the cluster: a service of the test, asked with a shell's own means.
variable "maker" {
  type = object({ host = string, port = string })
}

variable "kubernetes" {
  type = object({ host = string, token = string, cluster_ca_certificate = string })
}

variable "way" {
  type        = string
  description = "How the resource gets to know the cluster: by its own cluster_name, by the provider's, or by the provider's host."
}

# Nothing of it is known before it is made.
resource "terraform_data" "cluster" {
  input = {
    name       = "made"
    kubernetes = var.kubernetes
    maker      = var.maker
  }

  provisioner "local-exec" {
    interpreter = ["/bin/bash", "-c"]
    command     = "exec 3<>/dev/tcp/${self.input.maker.host}/${self.input.maker.port} && echo create >&3 && read -r answer <&3 && [ \"$answer\" = done ]"
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/bash", "-c"]
    command     = "exec 3<>/dev/tcp/${self.input.maker.host}/${self.input.maker.port} && echo delete >&3 && read -r answer <&3 && [ \"$answer\" = done ]"
  }
}

provider "gitlabspot" {
  kubernetes = {
    cluster_name           = var.way == "provider" ? terraform_data.cluster.output.name : null
    host                   = var.way == "host" ? terraform_data.cluster.output.kubernetes.host : null
    token                  = var.way == "host" ? terraform_data.cluster.output.kubernetes.token : null
    cluster_ca_certificate = var.way == "host" ? terraform_data.cluster.output.kubernetes.cluster_ca_certificate : null
  }
}

resource "gitlabspot_warm_capacity" "probe" {
  cluster_name = var.way == "resource" ? terraform_data.cluster.output.name : null
  name         = "probe"
  namespace    = var.namespace
  pods         = 1
  pod          = { cpu = "1", node_selector = { "no-such" = "node" } }
  priority     = var.priority
  depends_on   = [terraform_data.cluster]
}
