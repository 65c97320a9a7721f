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
  description = "ARN of its role, as `aws eks describe-nodegroup` shows it."
  type        = string
}

variable "launch_template_id" {
  description = "Id of its launch template, as `aws eks describe-nodegroup` shows it."
  type        = string
}

variable "launch_template_version" {
  description = "Version of the launch template that it has, as `aws eks describe-nodegroup` shows it."
  type        = string
  default     = "1"
}

variable "cache_bucket" {
  description = "Name of the cache bucket."
  type        = string
}

variable "iam_user" {
  description = "Name of the IAM user whose key the runner has."
  type        = string
}

variable "namespace" {
  description = "Namespace of the release and of the Secret."
  type        = string
  default     = "gitlab-runner"
}

variable "values_file" {
  description = "Path of the values file that Helm was given."
  type        = string
}

variable "runner_version" {
  description = "Version of the runner that the chart deployed, as the image of its Deployment has it."
  type        = string
  default     = "18.9.0"
}
