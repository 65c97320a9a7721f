//! The nearest valid name for a misspelt one.

/// The candidate that is most like `name`, if any is like it at all: the one that takes the fewest slips to get there.
///
/// Letter case, dashes and underscores do not count: `bucketName` is as near to `bucket_name` as
/// can be.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(name);
    let judged = candidates.into_iter().map(|candidate| {
        let plain = plain(candidate);
        (strsim::osa_distance(&wanted, &plain), strsim::jaro_winkler(&wanted, &plain), candidate)
    });
    judged
        .filter(|(slips, likeness, _)| *slips <= SLIPS && *slips < wanted.chars().count() || *likeness >= 0.8)
        .min_by(|(slips, likeness, _), (others, other, _)| slips.cmp(others).then(other.total_cmp(likeness)))
        .map(|(.., candidate)| candidate)
}

/// Letters too many, missing, wrong or exchanged that any name may have and still be meant.
const SLIPS: usize = 2;

/// ` Did you mean "x"?`, or nothing.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|candidate| format!(" Did you mean \"{candidate}\"?")).unwrap_or_default()
}

/// The name without what does not count.
pub fn plain(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_suggested() {
        let names = ["cpu_request", "cpu_limit", "BucketName", "poll_timeout"];
        assert_eq!(nearest("cpu_requests", names), Some("cpu_request"));
        assert_eq!(nearest("bucket_name", names), Some("BucketName"));
        assert_eq!(nearest("poll_timout", names), Some("poll_timeout"));
        assert_eq!(nearest("zzz", names), None);
        assert_eq!(did_you_mean("zzz", names), "");
    }
}
