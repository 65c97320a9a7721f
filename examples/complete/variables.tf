variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  default     = "prod"
}

variable "region" {
  description = "Region of the cluster; the cache lives there too, near the nodes."
  type        = string
  default     = "af-south-1"
}

variable "availability_zones" {
  description = "Zones of the build nodes. One keeps traffic in the zone; more find Spot capacity more often."
  type        = set(string)
  default     = ["af-south-1b"]
}

variable "ec2_ssh_key" {
  description = "Name of an existing EC2 key pair for SSH to the nodes; null for no SSH."
  type        = string
  default     = "your-ssh-key"
}

variable "ssh_security_group_ids" {
  description = "Security groups of the nodes that allow SSH, beside the cluster's own; null for that one alone."
  type        = set(string)
  default     = null
}

variable "cache_bucket" {
  description = "Name of the cache bucket: unique in the world."
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
  description = "Registration token of a group or project: the older flow, which registers at start."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "runner_token" {
  description = "Authentication token (glrt-...) of a runner that was made in GitLab's pages: the newer flow."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "token_version" {
  description = "Raise it to have a new token written: nobody can see that the token itself is another one."
  type        = number
  default     = 1
}

variable "image_pull_secret" {
  description = "Name of a Secret for pulling the runner's image from a private registry; null for none."
  type        = string
  default     = "your-pull-secrets"
}

variable "warm_capacity" {
  description = "Number of jobs for which there is room at once, and when, for instance `{ pods = 2, schedule = { start = \"0 8 * * MON-FRI\", end = \"0 18 * * MON-FRI\", time_zone = \"Africa/Johannesburg\" } }`; null for none."
  type = object({
    pods     = number
    schedule = optional(object({ start = string, end = string, time_zone = string }))
  })
  default = null
}
