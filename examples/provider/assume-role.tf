# The keys of the profile open one role in the account where the cluster is.
provider "gitlabspot" {
  alias   = "deploy"
  region  = "af-south-1"
  profile = "ci"

  assume_role = {
    role_arn     = "arn:aws:iam::123456789012:role/gitlab-ci-deploy"
    session_name = "gitlabspot"
    duration     = "1h"
  }

  # A wrong profile must not make nodes in somebody else's account.
  allowed_account_ids = ["123456789012"]
}
