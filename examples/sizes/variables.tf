variable "region" {
  description = "Region of the cluster."
  type        = string
  default     = "af-south-1"
}

variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  default     = "prod"
}

variable "availability_zones" {
  description = "Availability zones of the nodes."
  type        = set(string)
  default     = ["af-south-1a", "af-south-1b"]
}

variable "cache_bucket" {
  description = "Name of the cache bucket, unique among all accounts of the AWS partition."
  type        = string
}

variable "namespace_prefix" {
  description = "Prefix of the namespaces, one for each size."
  type        = string
  default     = "ci"
}

variable "gitlab_url" {
  description = "URL of GitLab."
  type        = string
  default     = "https://gitlab.com/"
}

variable "runner_tokens" {
  description = "Authentication tokens (`glrt-...`) of the runners by size."
  type        = map(string)
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = alltrue([for size in ["small", "medium", "large"] : can(var.runner_tokens[size])])
    error_message = "runner_tokens must have the keys small, medium and large."
  }
}
