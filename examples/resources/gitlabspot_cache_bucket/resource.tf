# Objects expire after 60 days, under the prefix of runners with a shared cache.
resource "gitlabspot_cache_bucket" "ci" {
  bucket = "example-ci-cache"
}

# A generated name, a different retention, a KMS key, and a bucket that is emptied before it is destroyed.
resource "gitlabspot_cache_bucket" "linux" {
  bucket_prefix   = "example-ci-"
  cache_path      = "linux"
  expiration_days = 14
  force_destroy   = true

  encryption = {
    sse_algorithm      = "aws:kms"
    kms_key_id         = "arn:aws:kms:af-south-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    bucket_key_enabled = true
  }

  tags = { team = "ci" }
}
