output "id" {
  description = "ID of the node group, `cluster_name:name`."
  value       = gitlabspot_node_group.this.id
}

output "arn" {
  description = "ARN of the node group."
  value       = gitlabspot_node_group.this.arn
}

output "instance_types" {
  description = "Instance types of the nodes, in order of preference."
  value       = gitlabspot_node_group.this.instance_types
}

output "node_role_arn" {
  description = "ARN of the IAM role of the nodes."
  value       = gitlabspot_node_group.this.node_role_arn
}

output "autoscaling_group_names" {
  description = "Names of the Auto Scaling Groups of the nodes."
  value       = gitlabspot_node_group.this.autoscaling_group_names
}

output "asg_tags" {
  description = "Managed tags of the Auto Scaling Groups, which the cluster autoscaler reads."
  value       = gitlabspot_node_group.this.asg_tags_all
}

output "build_nodes" {
  description = "Node selector and tolerations of pods on the nodes, for `build_nodes` of the module `runner`."
  value       = gitlabspot_node_group.this.build_nodes
}
