//! Suggestion of the nearest valid name for a misspelt one.

/// The candidate with the smallest distance to `name`, if any is similar.
///
/// Case, dashes and underscores are ignored: `bucketName` has no distance to `bucket_name`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(name);
    let judged = candidates.into_iter().map(|candidate| {
        let plain = plain(candidate);
        (strsim::osa_distance(&wanted, &plain), strsim::jaro_winkler(&wanted, &plain), candidate)
    });
    judged
        .filter(|(slips, likeness, _)| *slips < wanted.chars().count() && (*slips <= SLIPS || *likeness >= 0.8))
        .min_by(|(slips, likeness, _), (others, other, _)| slips.cmp(others).then(other.total_cmp(likeness)))
        .map(|(.., candidate)| candidate)
}

/// Maximum number of inserted, missing, wrong or exchanged letters.
const SLIPS: usize = 2;

/// Returns ` Did you mean "x"?`, or an empty string if no candidate is similar.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|candidate| format!(" Did you mean \"{candidate}\"?")).unwrap_or_default()
}

/// The name in lower case, without dashes and underscores.
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
        // Their letters are similar, but no letter is in its place.
        assert_eq!(nearest("init", ["affinity"]), None);
        assert_eq!(did_you_mean("zzz", names), "");
    }
}
