//! The Kubernetes version of an AMI release. EKS does not derive it, and rejects a release for another minor version
//! than that of the request or of the node group.

use tfplugin::framework::Value;

use super::schema::NodeGroup;

/// The version that a configured release is for, such as `1.34` for `1.34.1-20260101` (Amazon Linux) and
/// `1.34-2026.01.01` (Windows). Unknown while the release is unknown; `None` if the release does not contain the
/// version, as with Bottlerocket, which has its own numbers.
pub(super) fn version_of(release: &Value<String>, ami_type: &Value<String>) -> Option<Value<String>> {
    let of_bottlerocket = ami_type.as_str().is_some_and(|kind| kind.starts_with("BOTTLEROCKET"));
    match release {
        Value::Null => None,
        Value::Unknown => Some(Value::Unknown),
        Value::Known(_) if of_bottlerocket => None,
        Value::Known(release) => minor(release).map(Value::from),
    }
}

fn minor(release: &str) -> Option<String> {
    let (version, built) = release.split_once('-')?;
    let dated = built.len() >= 8 && built.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let numbers: Vec<&str> = version.split('.').collect();
    let numeric = numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    match numbers.as_slice() {
        [major, minor] | [major, minor, _] if dated && numeric => Some(format!("{major}.{minor}")),
        _ => None,
    }
}

/// The problem with a version and a release that are both configured, if they do not match.
pub(super) fn contradiction(config: &NodeGroup) -> Option<String> {
    let version = config.version.as_str()?;
    let Some(Value::Known(of_release)) = version_of(&config.release_version, &config.ami_type) else { return None };
    (version != of_release).then(|| {
        format!(
            "The release {} is for Kubernetes {of_release}, but version is {version:?}. EKS only accepts a release of \
             the same version. Change one of them, or omit version.",
            config.release_version.as_str().unwrap_or_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_versions_are_parsed() {
        let of = |release: &str, ami_type: &str| version_of(&release.into(), &ami_type.into());
        assert_eq!(of("1.34.1-20260101", "AL2023_x86_64_STANDARD"), Some("1.34".into()));
        assert_eq!(of("1.34-2026.01.01", "WINDOWS_CORE_2022_x86_64"), Some("1.34".into()));
        assert_eq!(version_of(&"1.34.1-20260101".into(), &Value::Null), Some("1.34".into()));
        assert_eq!(of("1.50.0-abcdef12", "BOTTLEROCKET_x86_64"), None);
        assert_eq!(of("1.50.0-abcdef12", "AL2023_x86_64_STANDARD"), None);
        assert_eq!(version_of(&"1.50.0-12345678".into(), &"BOTTLEROCKET_ARM_64".into()), None);
        assert_eq!(version_of(&Value::Null, &Value::Null), None);
        assert_eq!(version_of(&Value::Unknown, &Value::Null), Some(Value::Unknown));
    }

    #[test]
    fn two_that_contradict_each_other() {
        let config = |version: &str| NodeGroup {
            version: version.into(),
            release_version: "1.34.1-20260101".into(),
            ..NodeGroup::default()
        };
        assert_eq!(contradiction(&config("1.34")), None);
        assert!(contradiction(&config("1.33")).is_some());
    }
}
