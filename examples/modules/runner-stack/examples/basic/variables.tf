variable "region" {
  description = "Region of the cluster."
  type        = string
  default     = "af-south-1"
}

variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
}

variable "availability_zones" {
  description = "Availability zones of the nodes."
  type        = set(string)
  default     = ["af-south-1b"]
}

variable "namespace" {
  description = "Namespace of the runner."
  type        = string
  default     = "gitlab-runner"
}

variable "gitlab_url" {
  description = "URL of GitLab."
  type        = string
  default     = "https://gitlab.com/"
}

variable "runner_token" {
  description = "Authentication token (`glrt-...`) of the runner."
  type        = string
  sensitive   = true
  ephemeral   = true
}
