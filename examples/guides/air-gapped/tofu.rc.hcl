provider_installation {
  filesystem_mirror {
    path    = "/usr/share/tofu/providers"
    include = ["registry.opentofu.org/gitlabspot/gitlabspot"]
  }
}
