output "instance_types" {
  description = "Instance types of the nodes by size."
  value       = { for size, runner in module.runner : size => runner.instance_types }
}

output "releases" {
  description = "IDs of the releases by size."
  value       = { for size, runner in module.runner : size => runner.release_id }
}
