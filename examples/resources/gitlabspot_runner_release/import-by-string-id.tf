import {
  to = gitlabspot_runner_release.ci
  id = "gitlab-runner/gitlab-runner"
}
