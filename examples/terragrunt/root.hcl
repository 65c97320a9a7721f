# Configuration of all units: the provider, and a state in S3.

generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-EOF
    provider "gitlabspot" {
      region     = "af-south-1"
      kubernetes = { cluster_name = "prod" }
    }
  EOF
}

remote_state {
  backend = "s3"

  generate = {
    path      = "backend.tf"
    if_exists = "overwrite_terragrunt"
  }

  config = {
    bucket       = "example-terraform-state"
    key          = "gitlab-runner/${path_relative_to_include()}/terraform.tfstate"
    region       = "af-south-1"
    encrypt      = true
    use_lockfile = true
  }
}
