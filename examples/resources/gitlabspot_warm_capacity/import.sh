# NAMESPACE/NAME, after CLUSTER: if the cluster is not that of the provider, such as prod:gitlab-runner/warm-jobs
tofu import gitlabspot_warm_capacity.working_hours gitlab-runner/warm-jobs
