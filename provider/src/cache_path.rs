//! Where in the bucket the runner keeps its cache.

/// The cache path as the runner joins it: single slashes, none at the beginning, one at the end unless it is empty.
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
