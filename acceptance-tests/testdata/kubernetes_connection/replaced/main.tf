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

resource "terraform_data" "cluster" {
  input = { name = "made", maker = var.maker }

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

# Nothing here makes one process of the provider wait for the new cluster: it first removes what is on the old one.
resource "gitlabspot_warm_capacity" "probe" {
  cluster_name = terraform_data.cluster.output.name
  name         = "probe"
  namespace    = var.namespace
  pods         = 1
  pod          = { cpu = "1", node_selector = { "no-such" = "node" } }
  priority     = var.priority
}
