//! A filesystem mirror with the provider, as users without access to the registry have it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) const BINARY: &str = "terraform-provider-gitlabspot";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
const OTHERS: [&str; 3] = ["aws", "helm", "kubernetes"];
const HOSTS: [&str; 2] = ["registry.opentofu.org", "registry.terraform.io"];

/// Creates a mirror in `folder`. Returns the CLI configuration that uses this mirror only.
pub(crate) fn lay_out(folder: &Path) -> String {
    let binary = binary();
    for target in places(folder) {
        // A hard link keeps the same provider during the test, even if a build replaces the file. The link of an
        // earlier workspace is kept: copying a file onto a link to itself would empty it.
        if !target.is_file() && fs::hard_link(&binary, &target).is_err() {
            fs::copy(&binary, &target).expect("the provider can be copied into the mirror");
        }
    }
    format!(
        "disable_checkpoint = true\n\nprovider_installation {{\n  filesystem_mirror {{\n    path = {folder:?}\n  }}\n}}\n"
    )
}

/// Adds other providers to the mirror, so that a state can have their resources. All are the example `other_provider`.
pub(crate) fn add_others(folder: &Path) {
    let binary = binary().with_file_name("examples").join("other_provider");
    for (host, name) in HOSTS.into_iter().flat_map(|host| OTHERS.map(|name| (host, name))) {
        let package = folder.join(host).join("hashicorp").join(name).join("1.0.0").join(platform());
        fs::create_dir_all(&package).expect("the mirror can be made");
        fs::copy(&binary, package.join(format!("terraform-provider-{name}_v1.0.0")))
            .expect("the provider can be copied");
    }
}

/// Replaces the provider in the mirror by a shell script that runs `command` before the provider.
pub(crate) fn wrap_provider(folder: &Path, command: &str) {
    let script = format!("#!/bin/sh\n{command} && exec {:?} \"$@\"\n", binary());
    for target in places(folder) {
        let written = fs::write(&target, &script);
        written
            .and_then(|()| fs::set_permissions(&target, fs::Permissions::from_mode(0o755)))
            .expect("the mirror can be written to");
    }
}

/// Paths of the provider in the mirror, for OpenTofu and for Terraform. Creates their folders.
fn places(folder: &Path) -> [PathBuf; 2] {
    HOSTS.map(|host| {
        let package = folder.join(host).join("gitlabspot/gitlabspot").join(VERSION).join(platform());
        fs::create_dir_all(&package).expect("the mirror can be made");
        package.join(format!("{BINARY}_v{VERSION}"))
    })
}

/// Path of the provider that was built with these tests, or of `$GITLABSPOT_PROVIDER`.
///
/// # Panics
///
/// If the file does not exist.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("GITLABSPOT_PROVIDER").map_or_else(
        || {
            let test = std::env::current_exe().expect("a running test has a path");
            test.ancestors().nth(2).expect("tests are in target/<profile>/deps").join(BINARY)
        },
        PathBuf::from,
    );
    assert!(path.is_file(), "{} is missing: build it with `cargo build -p {BINARY}`", path.display());
    path
}

/// The platform in Go's names, such as `linux_amd64`.
pub(crate) fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}_{architecture}")
}
