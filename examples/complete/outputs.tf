output "autoscaling_group_names" {
  description = "The Auto Scaling Groups of the build nodes."
  value       = gitlabspot_node_group.build.autoscaling_group_names
}

output "asg_tags" {
  description = "The tags on them, which the cluster-autoscaler reads."
  value       = gitlabspot_node_group.build.asg_tags_all
}

output "cache_secret" {
  description = "Namespace and name of the Secret with the cache's credentials."
  value       = "${gitlabspot_runner_credentials.cache.namespace}/${gitlabspot_runner_credentials.cache.secret_name}"
}

output "config_toml" {
  description = "The runner's configuration as it is deployed."
  value       = gitlabspot_runner_release.runner.config_toml_rendered
}
