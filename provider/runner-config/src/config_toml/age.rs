//! Keys that the runner does not know yet, or does not know any more.

use crate::catalogue::Key;
use crate::version::RunnerVersion;

/// Why a key has no effect with this runner: a summary, and what to do. `None` for a key that it knows.
pub(super) fn unfit(at: &str, key: &Key, version: RunnerVersion) -> Option<(&'static str, String)> {
    if key.since > version {
        let detail = format!(
            "{at} was introduced in GitLab Runner {}, and runner {version} ignores it. Increase runner_version or the \
             version of the image, or remove the key.",
            key.since
        );
        return Some(("Key is newer than the runner", detail));
    }
    // The runner drops unknown keys without a message (`toml.DecodeFile` in common/config.go), so that only the
    // catalogue can tell.
    let (last, instead) = key.until.filter(|(last, _)| *last < version && version != RunnerVersion::UNKNOWN)?;
    let detail = format!(
        "{at} had its last effect in GitLab Runner {last}, and runner {version} ignores it. Use {instead} instead."
    );
    Some(("Key is older than the runner", detail))
}
