//! Validation of the configuration, and the comparison of the parts of two models.

use tfplugin::framework::{AttributePath, Diagnostics, Timeouts, Value};

use super::parts::Part;
use super::schema::{CacheBucket, Protection};
use crate::names::check_one;
use crate::tags;

/// Maximum number of characters of a bucket name.
const LONGEST: usize = 63;

/// Minimum length of a name.
const SHORTEST: usize = 3;

/// Number of characters that are added to a prefix.
pub(super) const SUFFIX: usize = 12;

/// Returns the parts that differ between state and plan.
pub(super) fn differing(prior: &CacheBucket, planned: &CacheBucket) -> Vec<Part> {
    let different = |part: &Part| match part {
        Part::PublicAccess => !protected(prior, |p| &p.public_access_blocked),
        Part::Ownership => !protected(prior, |p| &p.bucket_owner_enforced),
        Part::Encryption => prior.encryption != planned.encryption,
        Part::Versioning => prior.versioning != planned.versioning,
        Part::Policy => prior.tls_only != planned.tls_only,
        Part::Lifecycle => {
            prior.prefix != planned.prefix
                || prior.expiration_days != planned.expiration_days
                || prior.noncurrent_expiration_days != planned.noncurrent_expiration_days
                || prior.abort_incomplete_multipart_days != planned.abort_incomplete_multipart_days
        }
        Part::Tags => prior.tags_all != planned.tags_all,
    };
    Part::ALL.into_iter().filter(different).collect()
}

/// Whether one of the protection settings is enabled.
pub(super) fn protected(model: &CacheBucket, pick: fn(&Protection) -> &Value<bool>) -> bool {
    model.protection.known().is_some_and(|protection| pick(protection).or(false))
}

/// Checks a configuration.
pub(super) fn validate(config: &CacheBucket, diagnostics: &mut Diagnostics) {
    names(config, diagnostics);
    days(config, diagnostics);
    paths(config, diagnostics);
    encryption(config, diagnostics);
    tags::validate(&config.tags, diagnostics);
    Timeouts::validate(&config.timeouts, diagnostics);
}

fn names(config: &CacheBucket, diagnostics: &mut Diagnostics) {
    check_one(("bucket", &config.bucket), ("bucket_prefix", &config.bucket_prefix), diagnostics);
    if let Some(problem) = config.bucket.as_str().and_then(|name| name_problem(name, 0)) {
        diagnostics.error("bucket", "Invalid bucket name", problem);
    }
    if let Some(problem) = config.bucket_prefix.as_str().and_then(|prefix| {
        // The prefix must be the beginning of a valid name, so that it is checked with a suffix.
        name_problem(&format!("{prefix}{}", "0".repeat(SUFFIX)), SUFFIX)
    }) {
        diagnostics.error("bucket_prefix", "Invalid bucket name", problem);
    }
}

const RESERVED_PREFIXES: [&str; 3] = ["amzn-s3-demo-", "sthree-", "xn--"];
/// Reserved for access points, for other types of buckets, and for names that belong to one account.
const RESERVED_SUFFIXES: [&str; 6] = ["--ol-s3", "--table-s3", "--x-s3", "-an", "-s3alias", ".mrap"];

/// Checks a name against the rules of S3 for general purpose buckets. The last `suffix` characters are not part of the
/// value that the error is about.
fn name_problem(name: &str, suffix: usize) -> Option<String> {
    let length = name.len().saturating_sub(suffix);
    let (shortest, longest) = (SHORTEST.saturating_sub(suffix).max(1), LONGEST - suffix);
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !(shortest..=longest).contains(&length) {
        Some(format!("The value has {length} characters, but must have {shortest} to {longest}."))
    } else if !name.chars().all(|c| alphanumeric(c) || c == '-' || c == '.') {
        Some("Only lowercase letters, digits, hyphens and dots are allowed.".to_owned())
    } else if !name.starts_with(alphanumeric) || !name.ends_with(alphanumeric) || name.contains("..") {
        Some(
            "The name must begin and end with a lowercase letter or a digit, and must not contain two dots in a row."
                .to_owned(),
        )
    } else if name.parse::<std::net::Ipv4Addr>().is_ok() {
        Some("The name must not have the format of an IP address.".to_owned())
    } else if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) {
        Some(format!("Names that begin with {prefix} are reserved by S3. Choose another name."))
    } else {
        let suffix = RESERVED_SUFFIXES.iter().find(|suffix| name.ends_with(**suffix))?;
        Some(format!("Names that end with {suffix} are reserved by S3. Choose another name."))
    }
}

fn days(config: &CacheBucket, diagnostics: &mut Diagnostics) {
    for (name, value) in [
        ("expiration_days", &config.expiration_days),
        ("noncurrent_expiration_days", &config.noncurrent_expiration_days),
        ("abort_incomplete_multipart_days", &config.abort_incomplete_multipart_days),
    ] {
        if let Some(days) = value.known()
            && !(0..=i64::from(i32::MAX)).contains(days)
        {
            diagnostics.error(
                name,
                "Invalid number of days",
                format!("{days} is not valid. Write 0 for never, or a positive number."),
            );
        }
    }
}

fn paths(config: &CacheBucket, diagnostics: &mut Diagnostics) {
    if let Some(path) = config.cache_path.as_str()
        && path.split('/').any(|segment| segment == "." || segment == "..")
    {
        diagnostics.error(
            "cache_path",
            "Invalid cache path",
            format!("{path:?} contains a segment \".\" or \"..\", which the runner resolves. Write the resolved path."),
        );
    }
    if let Some(prefix) = config.prefix.as_str()
        && prefix.starts_with('/')
    {
        diagnostics.warning(
            "prefix",
            "Lifecycle prefix begins with a slash",
            "Keys of S3 objects rarely begin with a slash, so the rule probably does not match any object.",
        );
    }
}

fn encryption(config: &CacheBucket, diagnostics: &mut Diagnostics) {
    let Value::Known(given) = &config.encryption else { return };
    let path = AttributePath::of("encryption");
    let algorithm = given.sse_algorithm.as_str().unwrap_or("AES256");
    if !["AES256", "aws:kms"].contains(&algorithm) {
        diagnostics.error(
            path.attribute("sse_algorithm"),
            "Invalid encryption algorithm",
            format!("{algorithm:?} is not supported. Use \"AES256\" or \"aws:kms\"."),
        );
    } else if algorithm == "AES256" && !given.sse_algorithm.is_unknown() && given.kms_key_id.known().is_some() {
        diagnostics.error(
            path.attribute("kms_key_id"),
            "Conflicting arguments",
            "A KMS key is set, but objects are encrypted with keys of S3. Set sse_algorithm = \"aws:kms\".",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Encryption;
    use super::*;

    fn problems(config: &CacheBucket) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        validate(config, &mut diagnostics);
        diagnostics.iter().map(|d| d.path.to_string()).collect()
    }

    #[test]
    fn names_as_s3_has_them() {
        for name in ["ci-cache", "a.b", "123", &"a".repeat(63)] {
            assert_eq!(name_problem(name, 0), None, "{name}");
        }
        for name in ["ab", "Ab1", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", "xn--ab", &"a".repeat(64)] {
            assert!(name_problem(name, 0).is_some(), "{name}");
        }
        for name in ["amzn-s3-demo-ci", "ci--x-s3", "ci--table-s3", "ci.mrap", "ci-an", "sthree-ci", "ci-s3alias"] {
            assert!(name_problem(name, 0).is_some_and(|problem| problem.contains("reserved")), "{name}");
        }
        assert_eq!(problems(&CacheBucket { bucket_prefix: "ci-".into(), ..CacheBucket::default() }), [""; 0]);
        let both = CacheBucket { bucket: "ab1".into(), bucket_prefix: "A".into(), ..CacheBucket::default() };
        assert_eq!(problems(&both), ["bucket_prefix", "bucket_prefix"]);
        let long = CacheBucket { bucket_prefix: "a".repeat(52).into(), ..CacheBucket::default() };
        assert_eq!(problems(&long), ["bucket_prefix"]);
        let text = |prefix: &str| {
            let mut diagnostics = Diagnostics::new();
            let config = CacheBucket { bucket_prefix: prefix.into(), ..CacheBucket::default() };
            validate(&config, &mut diagnostics);
            diagnostics.iter().map(|d| d.detail.clone()).collect::<String>()
        };
        assert_eq!(text(&"a".repeat(52)), "The value has 52 characters, but must have 1 to 51.");
        assert_eq!(text(""), "The value has 0 characters, but must have 1 to 51.");
        assert_eq!((text(&"a".repeat(51)), text("a")), (String::new(), String::new()));
    }

    #[test]
    fn values_are_checked() {
        let config = CacheBucket {
            expiration_days: (-1).into(),
            cache_path: "a/../b".into(),
            encryption: Value::Known(Encryption { kms_key_id: "alias/x".into(), ..Encryption::default() }),
            ..CacheBucket::default()
        };
        assert_eq!(problems(&config), ["expiration_days", "cache_path", "encryption.kms_key_id"]);
        let unknown = Encryption { sse_algorithm: Value::Unknown, kms_key_id: Value::Unknown, ..Encryption::default() };
        let keyed = Encryption { kms_key_id: Value::Unknown, ..Encryption::default() };
        for encryption in [unknown, keyed] {
            let config = CacheBucket {
                encryption: Value::Known(encryption),
                bucket: Value::Unknown,
                bucket_prefix: Value::Unknown,
                ..CacheBucket::default()
            };
            assert_eq!(problems(&config), [""; 0]);
        }
    }

    #[test]
    fn only_parts_that_differ() {
        let on = Protection { public_access_blocked: true.into(), bucket_owner_enforced: true.into() };
        let planned =
            CacheBucket { protection: Value::Known(on), expiration_days: 60.into(), ..CacheBucket::default() };
        assert_eq!(differing(&planned, &planned), []);
        let prior = CacheBucket {
            protection: Value::Known(Protection {
                public_access_blocked: false.into(),
                bucket_owner_enforced: true.into(),
            }),
            expiration_days: Value::Null,
            tls_only: false.into(),
            ..planned.clone()
        };
        assert_eq!(differing(&prior, &planned), [Part::PublicAccess, Part::Policy, Part::Lifecycle]);
    }
}
