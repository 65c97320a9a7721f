# Capacity for two jobs on working days, with the size and placement of the job pods of the release.
resource "gitlabspot_warm_capacity" "working_hours" {
  name      = "warm-jobs"
  namespace = gitlabspot_runner_release.ci.namespace
  pods      = 2
  pod       = gitlabspot_runner_release.ci.job_pod

  schedule = {
    start     = "0 8 * * MON-FRI"
    end       = "0 18 * * MON-FRI"
    time_zone = "Africa/Johannesburg"
  }
}

# Capacity for one job at any time, with a custom size.
resource "gitlabspot_warm_capacity" "always" {
  name      = "warm-job"
  namespace = "gitlab-runner"
  pods      = 1

  pod = {
    cpu           = "4"
    memory        = "14Gi"
    node_selector = { intent = "build" }
    tolerations   = [{ key = "buildInstance", operator = "Equal", value = "true", effect = "NoSchedule" }]
  }
}
