output "node_group_id" {
  description = "ID of the node group, `cluster_name:name`."
  value       = module.build_nodes.id
}

output "instance_types" {
  description = "Instance types of the nodes, in order of preference."
  value       = module.build_nodes.instance_types
}

output "node_role_arn" {
  description = "ARN of the IAM role of the nodes."
  value       = module.build_nodes.node_role_arn
}

output "autoscaling_group_names" {
  description = "Names of the Auto Scaling Groups of the nodes."
  value       = module.build_nodes.autoscaling_group_names
}

output "asg_tags" {
  description = "Managed tags of the Auto Scaling Groups, which the cluster autoscaler reads."
  value       = module.build_nodes.asg_tags
}

output "build_nodes" {
  description = "Node selector and tolerations of pods on the nodes, for `build_nodes` of another runner."
  value       = module.build_nodes.build_nodes
}

output "cache_bucket" {
  description = "Cache bucket, for `cache_bucket` of another stack."
  value       = local.cache_bucket
}

output "cache_secret" {
  description = "Namespace and name of the Secret with the access key of the cache; null without an access key."
  value       = module.runner.cache_secret
}

output "cache_role_arn" {
  description = "ARN of the IAM role of the cache; null with an access key."
  value       = module.runner.cache_role_arn
}

output "release_id" {
  description = "ID of the release, `namespace/name`."
  value       = module.runner.id
}

output "namespace" {
  description = "Namespace of the runner and its jobs."
  value       = module.runner.namespace
}

output "config_toml" {
  description = "Configuration of the runner as it is deployed, without secrets."
  value       = module.runner.config_toml
}

output "job_pod" {
  description = "Resources and placement of a job pod."
  value       = module.runner.job_pod
}
