import {
  to = gitlabspot_runner_credentials.ci
  identity = {
    name        = "ci-cache"
    namespace   = "gitlab-runner"
    secret_name = "gitlab-runner-s3-access"
  }
}
