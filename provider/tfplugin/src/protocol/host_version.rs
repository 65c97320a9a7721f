//! The check of the host's version.

use crate::framework::Diagnostic;
use crate::framework::provider::OldestHost;

/// Refuses hosts that are older than the provider requires. Terraform and OpenTofu both send their version as
/// `terraform_version`, and the same minimum applies to both. Other programs are checked by their capabilities instead:
/// by `knows_write_only` here, and again whenever a configuration with write-only values is validated.
pub(super) fn check(oldest: OldestHost, version: &str, knows_write_only: bool) -> Result<(), Diagnostic> {
    // Other programs send a version of their own, with their name after a plus: `1.0.0+pulumi-terraform-bridge`.
    if knows_write_only || version.contains('+') {
        return Ok(());
    }
    let OldestHost { version: (major, minor), reason } = oldest;
    match parse(version) {
        // Development builds have the version 0.0.0. Text that cannot be parsed does not identify an old release.
        None | Some((0, 0)) => Ok(()),
        Some(found) if found >= (major, minor) => Ok(()),
        Some(_) => Err(Diagnostic::error(
            "Terraform or OpenTofu is too old",
            format!(
                "This is version {version}. The provider needs Terraform >= {major}.{minor} or OpenTofu >= \
                 {major}.{minor}: {reason}."
            ),
        )),
    }
}

/// Parses the major and minor version. Patch, pre-release and build are ignored.
fn parse(version: &str) -> Option<(u64, u64)> {
    let mut numbers = version.trim().trim_start_matches('v').split(['.', '-', '+']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: &str, knows_write_only: bool) -> Result<(), Diagnostic> {
        super::check(OldestHost { version: (1, 11), reason: "older ones store secrets" }, version, knows_write_only)
    }

    #[test]
    fn hosts_before_1_11_are_refused_and_unparsable_versions_are_not() {
        for version in
            ["1.11.0", "1.11.4", "1.12.0-rc1", "1.16.0-dev", "2.0.0", "v1.11.0", "0.0.0", "0.0.0-dev", "", "main"]
        {
            assert_eq!(check(version, false), Ok(()), "{version}");
        }
        for version in ["1.10.9", "1.10.0-beta1", "1.9", "0.15.5"] {
            let detail = check(version, false).unwrap_err().detail;
            assert!(
                detail.contains(version) && detail.contains("OpenTofu >= 1.11: older ones store secrets."),
                "{detail}"
            );
        }
    }

    #[test]
    fn other_programs_are_judged_by_their_capabilities() {
        assert_eq!(check("1.0.0+pulumi-terraform-bridge", false), Ok(()));
        assert_eq!(check("1.0.0", true), Ok(()));
    }
}
