# The credentials of the profile assume a role in the account of the cluster.
provider "gitlabspot" {
  alias   = "deploy"
  region  = "af-south-1"
  profile = "ci"

  assume_role = {
    role_arn     = "arn:aws:iam::123456789012:role/gitlab-ci-deploy"
    session_name = "gitlabspot"
    duration     = "1h"
  }

  # Credentials of any other account are an error.
  allowed_account_ids = ["123456789012"]
}
