variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  default     = "prod"
}

variable "region" {
  description = "Region of the cluster and of the cache bucket."
  type        = string
  default     = "af-south-1"
}

variable "availability_zones" {
  description = "Availability zones of the build nodes. With one zone, traffic stays in the zone. With several zones, Spot capacity is available more often."
  type        = set(string)
  default     = ["af-south-1b"]
}

variable "ec2_ssh_key" {
  description = "Name of an existing EC2 key pair for SSH access to the nodes. `null` disables SSH access."
  type        = string
  default     = "your-ssh-key"
}

variable "ssh_security_group_ids" {
  description = "IDs of additional security groups of the nodes that allow SSH. `null` means only the cluster security group."
  type        = set(string)
  default     = null
}

variable "cache_bucket" {
  description = "Name of the cache bucket, unique among all accounts of the AWS partition."
  type        = string
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

# The token is ephemeral and set in a write-only argument: it is not stored in state or plan files.
# Set one of the two variables, for example with TF_VAR_registration_token in the environment.
variable "registration_token" {
  description = "Registration token of a group or project, which GitLab has deprecated: the runner registers when it starts."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "runner_token" {
  description = "Authentication token (`glrt-...`) of a runner that was created in GitLab."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "token_version" {
  description = "Arbitrary number. Increase it together with the token: write-only values are not compared."
  type        = number
  default     = 1
}

variable "image_pull_secret" {
  description = "Name of an image pull Secret, for the image of the runner in a private registry. `null` means none."
  type        = string
  default     = "your-pull-secrets"
}

variable "warm_capacity" {
  description = "Number of jobs for which capacity is reserved, and the schedule of the reservation, for example `{ pods = 2, schedule = { start = \"0 8 * * MON-FRI\", end = \"0 18 * * MON-FRI\", time_zone = \"Africa/Johannesburg\" } }`. `null` reserves no capacity."
  type = object({
    pods     = number
    schedule = optional(object({ start = string, end = string, time_zone = string }))
  })
  default = null
}
