provider "gitlabspot" {
  alias            = "behind_a_proxy"
  region           = "af-south-1"
  https_proxy      = "http://proxy.example.com:3128"
  no_proxy         = ".internal.example.com,10.0.0.0/8"
  custom_ca_bundle = "/etc/ssl/certs/example.pem"

  # Interface endpoints of the VPC instead of the public endpoints.
  endpoints = {
    eks = "https://eks.internal.example.com"
    sts = "https://sts.internal.example.com"
  }
}
