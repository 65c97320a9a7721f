output "autoscaling_group_names" {
  description = "The Auto Scaling Groups of the build nodes."
  value       = module.runner_stack.autoscaling_group_names
}

output "asg_tags" {
  description = "The tags on them, which the cluster-autoscaler reads."
  value       = module.runner_stack.asg_tags
}

output "cache_secret" {
  description = "Namespace and name of the Secret with the cache's credentials."
  value       = module.runner_stack.cache_secret
}

output "config_toml" {
  description = "The runner's configuration as it is deployed."
  value       = module.runner_stack.config_toml
}
