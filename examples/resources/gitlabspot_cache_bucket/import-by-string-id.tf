import {
  to = gitlabspot_cache_bucket.ci
  id = "example-ci-cache"
}
