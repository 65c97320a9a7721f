list "gitlabspot_cache_bucket" "ci" {
  provider         = gitlabspot
  include_resource = true
  limit            = 20

  config {
    bucket_prefix = "ci-"
  }
}
