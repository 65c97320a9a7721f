# Namespace and name; with another cluster than the provider's, its name before them: prod:gitlab-runner/warm-jobs
tofu import gitlabspot_warm_capacity.working_hours gitlab-runner/warm-jobs
