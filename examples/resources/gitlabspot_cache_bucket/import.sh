# The name of the bucket.
tofu import gitlabspot_cache_bucket.ci example-ci-cache
