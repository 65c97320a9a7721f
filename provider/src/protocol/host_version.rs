//! Which hosts can be served.

use crate::framework::Diagnostic;

/// Both Terraform and OpenTofu have write-only arguments from 1.11 on.
const OLDEST: (u64, u64) = (1, 11);

/// Refuses hosts that cannot keep secrets out of the state. Both products call the field `terraform_version`, and both
/// count from 1.11 in what matters here.
pub(super) fn check(version: &str) -> Result<(), Diagnostic> {
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
            assert_eq!(check(version), Ok(()), "{version}");
        }
        for version in ["1.10.9", "1.10.0-beta1", "1.9", "0.15.5"] {
            let detail = check(version).unwrap_err().detail;
            assert!(detail.contains(version) && detail.contains("OpenTofu >= 1.11"), "{detail}");
        }
    }
}
