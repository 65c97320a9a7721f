output "autoscaling_group_names" {
  description = "Names of the Auto Scaling Groups of the build nodes."
  value       = module.runner_stack.autoscaling_group_names
}

output "asg_tags" {
  description = "Managed tags of the Auto Scaling Groups, which the cluster autoscaler reads."
  value       = module.runner_stack.asg_tags
}

output "cache_secret" {
  description = "Namespace and name of the Secret with the credentials of the cache."
  value       = module.runner_stack.cache_secret
}

output "config_toml" {
  description = "Configuration of the runner as it is deployed."
  value       = module.runner_stack.config_toml
}
