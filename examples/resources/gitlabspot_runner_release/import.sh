# Namespace and name of the release.
tofu import gitlabspot_runner_release.ci gitlab-runner/gitlab-runner
