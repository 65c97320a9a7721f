//! Timestamps in RFC 3339 format, in UTC and with a precision of seconds, as in AWS and Kubernetes.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// Formats a time, for instance as `2026-01-02T03:04:05Z`.
pub(crate) fn format(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let seconds = i64::try_from(seconds).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Parses a timestamp. Returns `None` if the text is not one.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_survive_the_round_trip() {
        let text = "2026-01-02T03:04:05Z";
        assert_eq!(parse(text).map(format), Some(text.to_owned()));
        assert_eq!(parse("yesterday"), None);
    }
}
