import {
  to = gitlabspot_warm_capacity.working_hours
  identity = {
    namespace = "gitlab-runner"
    name      = "warm-jobs"
  }
}
