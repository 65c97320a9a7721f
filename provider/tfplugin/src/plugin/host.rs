//! The product that started this process. The protocol does not distinguish Terraform from OpenTofu, and each has its
//! own versions.

use std::ffi::OsStr;
use std::path::Path;

use super::system::Parent;

/// Returns `Terraform` or `OpenTofu`, if it can be identified.
///
/// It is identified by the program of the parent process, where the system exposes it, and otherwise by the registry in
/// the path of this binary: each product has its own default registry.
#[must_use]
pub fn product() -> Option<&'static str> {
    let parent = Parent::of_this_process().program();
    let itself = std::env::args_os().next();
    parent.as_deref().and_then(Path::file_name).and_then(of_program).or_else(|| itself.as_deref().and_then(of_path))
}

/// Identifies the product by the name of a program, which may have a version: `tofu`, `terraform-1.11.4`.
fn of_program(name: &OsStr) -> Option<&'static str> {
    let name = name.to_str()?.to_lowercase();
    match () {
        () if name.starts_with("tofu") || name.starts_with("opentofu") => Some("OpenTofu"),
        () if name.starts_with("terraform") => Some("Terraform"),
        () => None,
    }
}

fn of_path(path: &OsStr) -> Option<&'static str> {
    Path::new(path).iter().find_map(|part| match part.to_str()? {
        "registry.opentofu.org" => Some("OpenTofu"),
        "registry.terraform.io" => Some("Terraform"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_programs_are_recognised() {
        let products =
            ["tofu", "OpenTofu_1.12", "terraform", "terraform-1.11.4", "sh"].map(|name| of_program(OsStr::new(name)));
        assert_eq!(products, [Some("OpenTofu"), Some("OpenTofu"), Some("Terraform"), Some("Terraform"), None]);
    }

    #[test]
    fn host_is_recognised_by_the_registry_in_the_path() {
        let path = |host: &str| format!(".terraform/providers/{host}/example/minimal/0.1.0/linux_amd64/x_v0.1.0");
        let products = ["registry.opentofu.org", "registry.terraform.io", "example.com"]
            .map(|host| of_path(OsStr::new(&path(host))));
        assert_eq!(products, [Some("OpenTofu"), Some("Terraform"), None]);
    }
}
