//! The nearest valid name for a misspelt one.

/// The candidate that is most like `name`, if any is like it at all.
///
/// Letter case, dashes and underscores do not count: `bucketName` is as near to `bucket_name` as
/// can be.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(name);
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &plain(candidate)), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// ` Did you mean "x"?`, or nothing.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|candidate| format!(" Did you mean \"{candidate}\"?")).unwrap_or_default()
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest() {
        let names = ["cpu_request", "cpu_limit", "BucketName", "poll_timeout"];
        assert_eq!(nearest("cpu_requests", names), Some("cpu_request"));
        assert_eq!(nearest("bucket_name", names), Some("BucketName"));
        assert_eq!(nearest("poll_timout", names), Some("poll_timeout"));
        assert_eq!(nearest("zzz", names), None);
        assert_eq!(did_you_mean("zzz", names), "");
    }
}
