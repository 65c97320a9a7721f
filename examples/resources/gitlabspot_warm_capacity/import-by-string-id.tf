import {
  to = gitlabspot_warm_capacity.working_hours
  id = "gitlab-runner/warm-jobs"
}
