//! Keys that a version of GitLab Runner does not support yet, or no longer supports.

use crate::catalogue::Key;
use crate::version::RunnerVersion;

/// Why a key has no effect with this version: a summary, and advice. `None` for a supported key.
pub(super) fn unfit(at: &str, key: &Key, version: RunnerVersion) -> Option<(&'static str, String)> {
    if key.since > version {
        let detail = format!(
            "{at} was introduced in GitLab Runner {}, and runner {version} ignores it. Increase runner_version or the \
             version of the image, or remove the key.",
            key.since
        );
        return Some(("Key is newer than the runner", detail));
    }
    // The runner ignores unknown keys silently (`toml.DecodeFile` in common/config.go), so that only the catalogue can
    // detect them.
    let (last, instead) = key.until.filter(|(last, _)| *last < version && version != RunnerVersion::UNKNOWN)?;
    let detail = format!(
        "{at} had its last effect in GitLab Runner {last}, and runner {version} ignores it. Use {instead} instead."
    );
    Some(("Key is older than the runner", detail))
}
