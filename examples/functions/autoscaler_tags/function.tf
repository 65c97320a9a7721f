# Tags for an Auto Scaling Group that this provider does not manage, so that the cluster autoscaler can scale it from zero.
output "tags" {
  value = provider::gitlabspot::autoscaler_tags(
    { "intent" = "build" },
    [{ key = "buildInstance", value = "true", effect = "NoSchedule" }],
  )
}
