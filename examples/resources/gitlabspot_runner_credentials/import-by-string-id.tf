import {
  to = gitlabspot_runner_credentials.ci
  id = "gitlab-runner/gitlab-runner-s3-access:ci-cache"
}
