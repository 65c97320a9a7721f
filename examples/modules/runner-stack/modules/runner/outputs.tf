output "id" {
  description = "ID of the release, `namespace/name`."
  value       = gitlabspot_runner_release.this.id
}

output "namespace" {
  description = "Namespace of the runner."
  value       = gitlabspot_runner_release.this.namespace
}

output "status" {
  description = "Status of the manager's Deployment."
  value       = gitlabspot_runner_release.this.status
}

output "config_toml" {
  description = "Configuration of the runner as it is deployed, without secrets."
  value       = gitlabspot_runner_release.this.config_toml_rendered
}

output "job_pod" {
  description = "Resources and placement of a job pod."
  value       = gitlabspot_runner_release.this.job_pod
}

output "cache_secret" {
  description = "Namespace and name of the Secret with the access key of the cache; null without an access key."
  value       = local.has_cache && !local.has_role ? "${local.credentials.namespace}/${local.credentials.secret_name}" : null
}

output "cache_user_arn" {
  description = "ARN of the IAM user of the cache; null without an access key."
  value       = one(gitlabspot_runner_credentials.cache[*].user_arn)
}

output "cache_role_arn" {
  description = "ARN of the IAM role of the cache; null with an access key."
  value       = one(gitlabspot_runner_credentials.cache[*].role_arn)
}
