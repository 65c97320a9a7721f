variable "tfc_aws_dynamic_credentials" {
  type = object({
    default = object({ shared_config_file = string })
    aliases = map(object({ shared_config_file = string }))
  })
}

provider "gitlabspot" {
  alias               = "production"
  region              = "af-south-1"
  shared_config_files = [var.tfc_aws_dynamic_credentials.aliases["PRODUCTION"].shared_config_file]
}
