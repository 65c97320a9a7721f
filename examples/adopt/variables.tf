variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  default     = "prod"
}

variable "region" {
  description = "Region of the cluster."
  type        = string
  default     = "af-south-1"
}

variable "node_group" {
  description = "Name of the node group."
  type        = string
  default     = "build-8vcpu-16gb-32gb-1b"
}

variable "node_role_arn" {
  description = "ARN of the IAM role of the nodes, as shown by `aws eks describe-nodegroup`."
  type        = string
}

variable "launch_template_id" {
  description = "ID of the launch template of the node group, as shown by `aws eks describe-nodegroup`."
  type        = string
}

variable "launch_template_version" {
  description = "Version of the launch template that the node group uses, as shown by `aws eks describe-nodegroup`."
  type        = string
  default     = "1"
}

variable "cache_bucket" {
  description = "Name of the cache bucket."
  type        = string
}

variable "iam_user" {
  description = "Name of the IAM user whose access key the runner uses."
  type        = string
}

variable "namespace" {
  description = "Namespace of the release and of the Secret."
  type        = string
  default     = "gitlab-runner"
}

variable "values_file" {
  description = "Path of the values file of the Helm release."
  type        = string
}

variable "runner_version" {
  description = "Version of GitLab Runner that the chart deployed: the version of the image of the Deployment."
  type        = string
  default     = "18.9.0"
}
