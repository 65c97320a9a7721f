//! Which hosts can be served.

use crate::framework::Diagnostic;

/// Both Terraform and OpenTofu have write-only arguments from 1.11 on.
const OLDEST: (u64, u64) = (1, 11);

/// Refuses hosts that cannot keep secrets out of the state. Both products call the field `terraform_version`, and both
/// count from 1.11 in what matters here. What calls itself otherwise is judged by what it says that it can
/// (`knows_write_only`), and each write-only value by what the host says with it.
pub(super) fn check(version: &str, knows_write_only: bool) -> Result<(), Diagnostic> {
    // Other programs tell theirs after a plus: `1.0.0+pulumi-terraform-bridge`.
    if knows_write_only || version.contains('+') {
        return Ok(());
    }
    match parse(version) {
        // Builds of developers call themselves 0.0.0; what is no version at all says nothing.
        None | Some((0, 0)) => Ok(()),
        Some(found) if found >= OLDEST => Ok(()),
        Some(_) => Err(Diagnostic::error(
            "Terraform or OpenTofu is too old",
            format!(
                "This is version {version}. The provider needs Terraform >= 1.11 or OpenTofu >= 1.11: older versions do not know \
                 write-only arguments, and would store runner tokens in the state."
            ),
        )),
    }
}

/// Major and minor version; what follows (patch, pre-release, build) does not matter.
fn parse(version: &str) -> Option<(u64, u64)> {
    let mut numbers = version.trim().trim_start_matches('v').split(['.', '-', '+']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_before_1_11_are_refused_and_odd_versions_are_not() {
        for version in
            ["1.11.0", "1.11.4", "1.12.0-rc1", "1.16.0-dev", "2.0.0", "v1.11.0", "0.0.0", "0.0.0-dev", "", "main"]
        {
            assert_eq!(check(version, false), Ok(()), "{version}");
        }
        for version in ["1.10.9", "1.10.0-beta1", "1.9", "0.15.5"] {
            let detail = check(version, false).unwrap_err().detail;
            assert!(detail.contains(version) && detail.contains("OpenTofu >= 1.11"), "{detail}");
        }
    }

    #[test]
    fn other_programs_are_judged_by_what_they_can() {
        assert_eq!(check("1.0.0+pulumi-terraform-bridge", false), Ok(()));
        assert_eq!(check("1.0.0", true), Ok(()));
    }
}
