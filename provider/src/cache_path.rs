//! Path of the runner's cache in the bucket.

/// Normalizes a cache path as GitLab Runner does: single slashes, none at the beginning, one at the end unless the path
/// is empty.
pub(crate) fn directory(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| format!("{segment}/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_equal_those_of_gitlab_runner() {
        for (path, expected) in [("", ""), ("/", ""), ("ci", "ci/"), ("/ci//linux/", "ci/linux/")] {
            assert_eq!(directory(path), expected);
        }
    }
}
