# An EKS cluster: its address is read from EKS, and tokens are created with the AWS credentials.
provider "gitlabspot" {
  alias  = "eks"
  region = "af-south-1"
  kubernetes = {
    cluster_name = "prod"
  }
}

# An EKS cluster through a proxy, here a tunnel to the network of the cluster (ssh -D 1080 bastion).
provider "gitlabspot" {
  alias  = "private_eks"
  region = "af-south-1"
  kubernetes = {
    cluster_name = "prod"
    proxy_url    = "socks5://localhost:1080"
  }
}

# A kubeconfig file, with a context other than its current one.
provider "gitlabspot" {
  alias = "kubeconfig"
  kubernetes = {
    config_path    = "~/.kube/config"
    config_context = "ci"
  }
}

# Several files, merged as kubectl merges them: the first file that sets a value has precedence.
provider "gitlabspot" {
  alias = "kubeconfigs"
  kubernetes = {
    config_paths             = ["~/.kube/clusters", "~/.kube/users"]
    config_context_cluster   = "prod"
    config_context_auth_info = "deployer"
  }
}

variable "kubernetes" {
  description = "Address of a cluster, and its certificates in PEM format."
  type = object({
    host        = string
    authority   = string
    certificate = string
  })
}

variable "kubernetes_secrets" {
  description = "Token, and private key of the client certificate in PEM format."
  type        = object({ token = string, key = string })
  sensitive   = true
}

# A token.
provider "gitlabspot" {
  alias = "token"
  kubernetes = {
    host                   = var.kubernetes.host
    cluster_ca_certificate = var.kubernetes.authority
    token                  = var.kubernetes_secrets.token
  }
}

# A client certificate.
provider "gitlabspot" {
  alias = "certificate"
  kubernetes = {
    host                   = var.kubernetes.host
    cluster_ca_certificate = var.kubernetes.authority
    client_certificate     = var.kubernetes.certificate
    client_key             = var.kubernetes_secrets.key
  }
}

# A command that prints an ExecCredential, as kubectl runs it.
provider "gitlabspot" {
  alias = "exec"
  kubernetes = {
    host                   = var.kubernetes.host
    cluster_ca_certificate = var.kubernetes.authority
    exec = {
      api_version = "client.authentication.k8s.io/v1"
      command     = "kubelogin"
      args        = ["get-token", "--login", "spn"]
      env         = { AZURE_CONFIG_DIR = "/etc/azure" }
    }
  }
}

# In a pod: the service account of the pod. No settings are required.
provider "gitlabspot" {
  alias = "in_cluster"
}
