//! Validation of the configuration.

use tfplugin::framework::{Diagnostics, Timeouts};

use super::access_method::Mode;
use super::policy::Choice;
use super::schema::RunnerCredentials;
use crate::names::check_one;
use crate::policy_document::text;
use crate::tags;

/// Maximum number of characters of the names of IAM users and roles.
const LONGEST: usize = 64;

/// Number of characters that are added to a prefix.
pub(super) const SUFFIX: usize = 12;

/// Maximum number of characters of all inline policies of a user, without white space.
const USER_POLICY: usize = 2048;

/// Checks a configuration.
pub(super) fn validate(config: &RunnerCredentials, diagnostics: &mut Diagnostics) {
    mode(config, diagnostics);
    names(config, diagnostics);
    policy(config, diagnostics);
    kubernetes(config, diagnostics);
    if let Some(days) = config.rotate_after_days.known()
        && !(1..=36_500).contains(days)
    {
        diagnostics.error(
            "rotate_after_days",
            "Invalid number of days",
            format!("{days} is not valid. The value must be between 1 and 36500."),
        );
    }
    tags::validate(&config.tags, diagnostics);
    Timeouts::validate(&config.timeouts, diagnostics);
}

fn mode(config: &RunnerCredentials, diagnostics: &mut Diagnostics) {
    let Some(text) = config.mode.as_str() else { return };
    match Mode::of(&config.mode) {
        None => diagnostics.error(
            "mode",
            "Invalid mode",
            format!("{text:?} is not a mode. Use \"access_key\", \"irsa\" or \"pod_identity\"."),
        ),
        Some(Mode::Irsa | Mode::PodIdentity) => {
            if config.service_account.is_null() {
                diagnostics.error(
                    "service_account",
                    "Missing argument",
                    format!("Mode {text:?} requires service_account. Set it to the service account of the runner."),
                );
            }
            for (name, given) in [
                ("rotate_after_days", config.rotate_after_days.known().is_some()),
                ("rotation_trigger", config.rotation_trigger.known().is_some()),
            ] {
                if given {
                    diagnostics.warning(
                        name,
                        "Conflicting arguments",
                        format!(
                            "This argument has no effect in mode {text:?}, which does not use an access key. Remove \
                             it."
                        ),
                    );
                }
            }
        }
        Some(Mode::AccessKey) => {}
    }
}

fn names(config: &RunnerCredentials, diagnostics: &mut Diagnostics) {
    check_one(("name", &config.name), ("name_prefix", &config.name_prefix), diagnostics);
    for (attribute, value, longest) in
        [("name", &config.name, LONGEST), ("name_prefix", &config.name_prefix, LONGEST - SUFFIX)]
    {
        let Some(name) = value.as_str() else { continue };
        let valid = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if name.is_empty() || name.len() > longest || !name.chars().all(valid) {
            diagnostics.error(
                attribute,
                "Invalid IAM name",
                format!("{name:?} is not valid. Use 1 to {longest} letters, digits and _ + = , . @ -."),
            );
        }
    }
    if let Some(path) = config.path.as_str()
        && (!path.starts_with('/') || !path.ends_with('/') || path.contains("//") || path.len() > 512)
    {
        diagnostics.error(
            "path",
            "Invalid IAM path",
            format!("{path:?} is not valid. A path begins and ends with a slash, for example \"/ci/\"."),
        );
    }
    for (attribute, value) in
        [("permissions_boundary", &config.permissions_boundary), ("kms_key_arn", &config.kms_key_arn)]
    {
        if let Some(arn) = value.as_str()
            && (!arn.starts_with("arn:") || arn.split(':').count() < 6)
        {
            diagnostics.error(attribute, "Invalid ARN", format!("{arn:?} is not an ARN."));
        }
    }
    if let Some(arn) = config.kms_key_arn.as_str()
        && arn.starts_with("arn:")
        && !is_key(arn)
    {
        diagnostics.error(
            "kms_key_arn",
            "Invalid ARN",
            format!(
                "{arn:?} is not the ARN of a KMS key, for example arn:aws:kms:eu-west-1:123456789012:key/ID. A policy \
                 with the ARN of an alias does not grant access, and uploads to the cache would be denied. \"aws kms \
                 describe-key\" shows the key of an alias."
            ),
        );
    }
    if let Some(path) = config.cache_path.as_str() {
        cache_path(path, diagnostics);
    }
    if config.bucket.as_str().is_some_and(|bucket| bucket.is_empty() || bucket.contains([':', '/', '*'])) {
        diagnostics.error("bucket", "Invalid bucket name", "Set the name of the bucket, not its ARN or address.");
    }
}

/// Whether an ARN is that of a KMS key. The ARN of an alias in a policy does not grant access to the key.
fn is_key(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "kms", region, account, resource] = parts.as_slice() else { return false };
    !region.is_empty() && !account.is_empty() && resource.strip_prefix("key/").is_some_and(|id| !id.is_empty())
}

fn cache_path(path: &str, diagnostics: &mut Diagnostics) {
    let why = if path.split('/').any(|segment| segment == "." || segment == "..") {
        "contains a segment \".\" or \"..\", which the runner resolves. Write the resolved path."
    } else if path.contains(['*', '?']) || path.contains("${") {
        "contains *, ? or ${, which match any text in a policy. Choose a path without them."
    } else {
        return;
    };
    diagnostics.error("cache_path", "Invalid cache path", format!("{path:?} {why}"));
}

fn policy(config: &RunnerCredentials, diagnostics: &mut Diagnostics) {
    let Some(given) = config.policy.as_str() else { return };
    let Some(choice) = Choice::of(given) else {
        diagnostics.error(
            "policy",
            "Invalid policy",
            "Use \"least_privilege\", \"full\", or a policy document in JSON with at least one statement.",
        );
        return;
    };
    if let Choice::Given(document) = &choice {
        let length = text(document).len();
        if length > USER_POLICY && Mode::of(&config.mode) == Some(Mode::AccessKey) {
            diagnostics.error(
                "policy",
                "Policy too long",
                format!(
                    "The document has {length} characters; the inline policies of a user can have at most \
                     {USER_POLICY} in total. Shorten the document."
                ),
            );
        }
        for (name, given) in [("cache_path", &config.cache_path), ("kms_key_arn", &config.kms_key_arn)] {
            if given.as_str().is_some_and(|text| !text.is_empty()) {
                diagnostics.warning(
                    name,
                    "Conflicting arguments",
                    "This argument has no effect with a custom policy document, which is attached without changes. Add \
                     the path or key to the document.",
                );
            }
        }
    }
}

fn kubernetes(config: &RunnerCredentials, diagnostics: &mut Diagnostics) {
    let valid = |name: &str, dots: bool, longest: usize| {
        let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !name.is_empty()
            && name.len() <= longest
            && name.starts_with(end)
            && name.ends_with(end)
            && name.chars().all(|c| end(c) || c == '-' || dots && c == '.')
    };
    for (attribute, value, dots, longest) in [
        ("namespace", &config.namespace, false, 63),
        ("secret_name", &config.secret_name, true, 253),
        ("service_account", &config.service_account, true, 253),
    ] {
        if let Some(name) = value.as_str()
            && !valid(name, dots, longest)
        {
            diagnostics.error(
                attribute,
                "Invalid Kubernetes name",
                format!("{name:?} is not valid. Use up to {longest} lowercase letters, digits and hyphens."),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use tfplugin::framework::Value;

    use super::*;

    fn config() -> RunnerCredentials {
        RunnerCredentials {
            mode: "access_key".into(),
            bucket: "ci-cache".into(),
            namespace: "gitlab-runner".into(),
            ..RunnerCredentials::default()
        }
    }

    fn problems(config: &RunnerCredentials) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        validate(config, &mut diagnostics);
        diagnostics.iter().map(|d| d.path.to_string()).collect()
    }

    #[test]
    fn wrong_values_are_named() {
        assert_eq!(problems(&config()), [""; 0]);
        let wrong = RunnerCredentials {
            mode: "static".into(),
            bucket: "arn:aws:s3:::x".into(),
            name: "a b".into(),
            name_prefix: "a".into(),
            path: "ci".into(),
            permissions_boundary: "boundary".into(),
            policy: "all".into(),
            namespace: "CI".into(),
            rotate_after_days: 0.into(),
            ..config()
        };
        assert_eq!(
            problems(&wrong),
            [
                "mode",
                "name_prefix",
                "name",
                "path",
                "permissions_boundary",
                "bucket",
                "policy",
                "namespace",
                "rotate_after_days"
            ]
        );
        assert_eq!(problems(&RunnerCredentials { mode: "irsa".into(), ..config() }), ["service_account"]);
        let unknown =
            RunnerCredentials { mode: Value::Unknown, policy: Value::Unknown, bucket: Value::Unknown, ..config() };
        let unknown = RunnerCredentials { name: Value::Unknown, name_prefix: Value::Unknown, ..unknown };
        assert_eq!(problems(&unknown), [""; 0]);
    }

    #[test]
    fn a_policy_names_a_key_and_no_alias() {
        let with = |arn: &str| problems(&RunnerCredentials { kms_key_arn: arn.into(), ..config() });
        for arn in ["arn:aws:kms:eu-west-1:123456789012:key/mrk-1", "arn:aws-cn:kms:cn-north-1:123456789012:key/1-2"] {
            assert_eq!(with(arn), [""; 0], "{arn}");
        }
        for arn in [
            "arn:aws:kms:eu-west-1:123456789012:alias/ci-cache",
            "arn:aws:kms:eu-west-1:123456789012:key/",
            "arn:aws:s3:::key/1",
            "alias/ci-cache",
        ] {
            assert_eq!(with(arn), ["kms_key_arn"], "{arn}");
        }
    }

    #[test]
    fn a_cache_path_is_one_directory() {
        for path in ["ci/../x", "./ci", "ci*", "c?", "${aws:username}"] {
            assert_eq!(problems(&RunnerCredentials { cache_path: path.into(), ..config() }), ["cache_path"], "{path}");
        }
        for path in ["", "/", "ci", "/ci//linux/", "ci..", "a.b/$x"] {
            assert_eq!(problems(&RunnerCredentials { cache_path: path.into(), ..config() }), [""; 0], "{path}");
        }
    }
}
