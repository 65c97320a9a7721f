# NAMESPACE/SECRET:USER
tofu import gitlabspot_runner_credentials.ci gitlab-runner/gitlab-runner-s3-access:ci-cache

# NAMESPACE/SERVICE_ACCOUNT:role/ROLE, after CLUSTER/ if the cluster is not that of the provider
tofu import gitlabspot_runner_credentials.role prod/gitlab-runner/gitlab-runner-with-role:role/ci-cache
