# Tags for an Auto Scaling Group that something else made, so that the autoscaler can start it from zero nodes.
output "tags" {
  value = provider::gitlabspot::autoscaler_tags(
    { "intent" = "build" },
    [{ key = "buildInstance", value = "true", effect = "NoSchedule" }],
  )
}
