# Objects expire after 60 days, under the prefix where runners that share their cache put them.
resource "gitlabspot_cache_bucket" "ci" {
  bucket = "example-ci-cache"
}

# A name that is made up, another retention, a key of KMS, and a bucket that a destroy may empty.
resource "gitlabspot_cache_bucket" "linux" {
  bucket_prefix   = "example-ci-"
  cache_path      = "linux"
  expiration_days = 14
  force_destroy   = true

  encryption = {
    sse_algorithm      = "aws:kms"
    kms_key_id         = "alias/ci-cache"
    bucket_key_enabled = true
  }

  tags = { team = "ci" }
}
