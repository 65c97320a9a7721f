# Room for two jobs on working days, of the size and in the place of the release's job pods.
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

# Room for one job at any time, of a size of its own.
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
