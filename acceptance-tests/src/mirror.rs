//! The provider where `init` looks for it: a filesystem mirror, as people without the registry have it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) const BINARY: &str = "terraform-provider-gitlabspot";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
const OTHERS: [&str; 3] = ["aws", "helm", "kubernetes"];
const HOSTS: [&str; 2] = ["registry.opentofu.org", "registry.terraform.io"];

/// Lays out a mirror in `folder` and returns the text of the CLI configuration that uses it and nothing else.
pub(crate) fn lay_out(folder: &Path) -> String {
    let binary = binary();
    for target in places(folder) {
        // A link: the provider stays the same one while the test runs, whatever is built meanwhile. A second workspace
        // finds it there, and copying a file onto a link to itself would empty it.
        if !target.is_file() && fs::hard_link(&binary, &target).is_err() {
            fs::copy(&binary, &target).expect("the provider can be copied into the mirror");
        }
    }
    format!(
        "disable_checkpoint = true\n\nprovider_installation {{\n  filesystem_mirror {{\n    path = {folder:?}\n  }}\n}}\n"
    )
}

/// Adds the providers of others that a state may have resources of: the example `other_provider` under their names.
pub(crate) fn add_others(folder: &Path) {
    let binary = binary().with_file_name("examples").join("other_provider");
    for (host, name) in HOSTS.into_iter().flat_map(|host| OTHERS.map(|name| (host, name))) {
        let package = folder.join(host).join("hashicorp").join(name).join("1.0.0").join(platform());
        fs::create_dir_all(&package).expect("the mirror can be made");
        fs::copy(&binary, package.join(format!("terraform-provider-{name}_v1.0.0")))
            .expect("the provider can be copied");
    }
}

/// The same with a shell in front of the provider, which runs `command` first.
pub(crate) fn wrap_provider(folder: &Path, command: &str) {
    let script = format!("#!/bin/sh\n{command} && exec {:?} \"$@\"\n", binary());
    for target in places(folder) {
        let written = fs::write(&target, &script);
        written
            .and_then(|()| fs::set_permissions(&target, fs::Permissions::from_mode(0o755)))
            .expect("the mirror can be written to");
    }
}

/// Where both engines look for the provider; the folders are there.
fn places(folder: &Path) -> [PathBuf; 2] {
    HOSTS.map(|host| {
        let package = folder.join(host).join("gitlabspot/gitlabspot").join(VERSION).join(platform());
        fs::create_dir_all(&package).expect("the mirror can be made");
        package.join(format!("{BINARY}_v{VERSION}"))
    })
}

/// The provider that was built with these tests: beside their folder, or where `$GITLABSPOT_PROVIDER` says.
///
/// # Panics
///
/// When there is none.
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

/// As Go names it.
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
