//! Versions of GitLab Runner, as far as the configuration depends on them.

use std::fmt;

use super::finding::{Finding, attribute};
use super::inputs::ReleaseInputs;

/// The patch release of [`RunnerVersion::DEFAULT`].
pub const DEFAULT_RELEASE: &str = "19.3.0";

/// Major and minor number; patch releases bring no configuration keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunnerVersion {
    pub major: u16,
    pub minor: u16,
}

impl RunnerVersion {
    /// For keys that every runner understands which this provider can deploy.
    pub const ANY: Self = Self::new(0, 0);

    /// For a runner that is not known: every key fits it.
    pub const UNKNOWN: Self = Self::new(u16::MAX, 0);

    /// The oldest that this provider deploys.
    pub const OLDEST: Self = Self::new(15, 0);

    /// From here on the runner expands environment variables in `token` and `url`,
    /// so that a complete config.toml needs no registration step.
    pub const EXPANDS_TOKEN: Self = Self::new(18, 10);

    /// Deployed when nothing else is asked for, as [`DEFAULT_RELEASE`].
    pub const DEFAULT: Self = Self::new(19, 3);

    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The version in a tag of the official image, `alpine-v19.3.0` or `v19.3.0`, or of a mirror that leaves the `v` out. What
    /// no runner is called is a numbering of the image's own.
    pub fn of_image_tag(tag: &str) -> Option<Self> {
        let parts = || tag.split(['-', '_']);
        let marked = parts().find_map(|part| Self::parse(part.strip_prefix('v')?));
        let bare = || parts().filter(|part| part.split('.').count() == 3).find_map(Self::parse);
        marked.or_else(bare).filter(|version| *version >= Self::OLDEST)
    }

    /// The same of a whole reference.
    pub fn of_image(image: &str) -> Option<Self> {
        let name = image.rsplit('/').next().unwrap_or(image);
        let name = name.split('@').next().unwrap_or(name);
        Self::of_image_tag(name.split_once(':')?.1)
    }

    /// That which a whole reference tells, or else a tag alone.
    pub fn told(image: Option<&str>, tag: Option<&str>) -> Option<Self> {
        match image {
            Some(image) => Self::of_image(image),
            None => Self::of_image_tag(tag?),
        }
    }

    /// Reads `19.3.0`, `v19.3.0` or `19.3`. `None` when it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        match (parts.next(), parts.next()) {
            (None, None) => Some(Self { major, minor }),
            (Some(patch), None) if patch.starts_with(|c: char| c.is_ascii_digit()) => Some(Self { major, minor }),
            _ => None,
        }
    }
}

impl fmt::Display for RunnerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version that `runner_version` asks for, or else the tag of `image` tells.
///
/// # Errors
///
/// What is no version, or one that is too old.
pub fn asked(typed: &ReleaseInputs) -> Result<Option<RunnerVersion>, Vec<Finding>> {
    let Some(text) = typed.runner_version.as_deref() else {
        return Ok(typed.image.as_deref().and_then(RunnerVersion::of_image));
    };
    let wrong =
        |detail: String| vec![Finding::error(attribute("runner_version"), "Not a version of GitLab Runner", detail)];
    let Some(version) = RunnerVersion::parse(text) else {
        return Err(wrong(format!(
            "\"{text}\" is not a version such as \"{DEFAULT_RELEASE}\". For an image of your own set image too."
        )));
    };
    if version < RunnerVersion::OLDEST {
        let oldest = RunnerVersion::OLDEST;
        return Err(wrong(format!(
            "GitLab Runner {version} is not supported: the oldest is {oldest}. Raise runner_version."
        )));
    }
    Ok(Some(version))
}

/// The version that runs, as far as anything tells it.
#[derive(Debug)]
pub struct Running {
    /// For the keys of the configuration.
    pub version: RunnerVersion,
    /// An image that does not tell its version, and nothing else does.
    is_untold: bool,
    findings: Vec<Finding>,
}

impl Running {
    /// Of a release with its values files.
    pub fn of(asked: Option<RunnerVersion>, typed: &ReleaseInputs, inputs: &ReleaseInputs) -> Self {
        let tag = inputs.image_parts.as_ref().and_then(|image| image.tag.as_deref());
        let of_tag = RunnerVersion::told(inputs.image.as_deref(), tag);
        let told = asked.or(of_tag);
        let is_untold = told.is_none() && (inputs.image.is_some() || tag.is_some());
        let version = told.unwrap_or(RunnerVersion::DEFAULT);
        let findings = untold(is_untold, typed).into_iter().chain(without_patch(typed, inputs, tag)).collect();
        Self { version, is_untold, findings }
    }

    /// Whether a complete config.toml needs no registration step.
    pub fn expands_token(&self) -> bool {
        !self.is_untold && self.version >= RunnerVersion::EXPANDS_TOKEN
    }

    /// What there is to say of it.
    pub fn findings(self) -> Vec<Finding> {
        self.findings
    }
}

fn untold(is_untold: bool, typed: &ReleaseInputs) -> Option<Finding> {
    let at = if typed.image.is_some() { "image" } else { "values" };
    let detail = format!(
        "The tag of the image does not tell the version of GitLab Runner, as alpine-v{DEFAULT_RELEASE} does. Each pod registers \
         its runner when it starts, which works with every version, and the configuration is checked for {}. Set \
         runner_version to the version in the image.",
        RunnerVersion::DEFAULT
    );
    is_untold.then(|| Finding::warning(attribute(at), "Version of the runner is not known", detail))
}

/// Tags of the official image have three numbers.
fn without_patch(typed: &ReleaseInputs, inputs: &ReleaseInputs, tag: Option<&str>) -> Option<Finding> {
    let text = typed.runner_version.as_deref().filter(|_| inputs.image.is_none() && tag.is_none())?;
    let number = text.trim_start_matches('v');
    let detail = format!(
        "GitLab publishes no image for \"{text}\". Write the patch release, for instance \"{number}.0\", or set image."
    );
    (number.split('.').count() < 3)
        .then(|| Finding::error(attribute("runner_version"), "Version of the runner without its patch release", detail))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn running(typed: serde_json::Value, values: serde_json::Value) -> (String, bool, Vec<String>) {
        let typed: ReleaseInputs = serde_json::from_value(typed).unwrap();
        let inputs = typed.clone().over(serde_json::from_value(values).unwrap()).unwrap();
        let running = Running::of(asked(&typed).unwrap(), &typed, &inputs);
        let (version, expands) = (running.version.to_string(), running.expands_token());
        let found = running.findings().into_iter().map(|found| format!("{:?} {}", found.severity, found.summary));
        (version, expands, found.collect())
    }

    #[test]
    fn whatever_tells_the_version_is_believed() {
        let told = |version: &str, expands| (version.to_owned(), expands, Vec::new());
        let none = || json!({});
        assert_eq!(running(none(), none()), told("19.3", true));
        assert_eq!(running(json!({ "image": "mirror/gitlab-runner:alpine-v18.5.0" }), none()), told("18.5", false));
        assert_eq!(running(json!({ "image": "host:5000/runner:17.8.0@sha256:x" }), none()), told("17.8", false));
        assert_eq!(
            running(json!({ "image": "host/x:latest", "runner_version": "18.11" }), none()),
            told("18.11", true)
        );
        assert_eq!(running(none(), json!({ "image_parts": { "tag": "17.8.0-debian-12-r1" } })), told("17.8", false));
        let image = json!({ "image": "x:v19.0.0" });
        assert_eq!(running(image, json!({ "image_parts": { "tag": "v17.0.0" } })), told("19.0", true));
    }

    #[test]
    fn an_image_that_does_not_tell_it_registers() {
        let warned = || ("19.3".to_owned(), false, vec!["Warning Version of the runner is not known".to_owned()]);
        for image in
            ["mirror/gitlab-runner", "mirror/gitlab-runner:latest", "mirror:5000/gitlab-runner@sha256:x", "x:1.4.2"]
        {
            assert_eq!(running(json!({ "image": image }), json!({})), warned(), "{image}");
        }
        assert_eq!(running(json!({}), json!({ "image_parts": { "tag": "alpine-bleeding" } })), warned());
    }

    #[test]
    fn an_official_image_has_a_patch_release() {
        let found = |typed| running(typed, json!({})).2;
        assert_eq!(
            found(json!({ "runner_version": "19.3" })),
            ["Error Version of the runner without its patch release"]
        );
        assert_eq!(found(json!({ "runner_version": "19.3", "image": "x" })), [""; 0]);
        assert_eq!(found(json!({ "runner_version": "v19.3.1" })), [""; 0]);
        let old = serde_json::from_value(json!({ "runner_version": "14.10.1" })).unwrap();
        assert_eq!(
            asked(&old).unwrap_err()[0].detail,
            "GitLab Runner 14.10 is not supported: the oldest is 15.0. Raise runner_version."
        );
    }

    #[test]
    fn reads_the_usual_spellings() {
        let expected = Some(RunnerVersion::new(19, 3));
        for text in ["19.3.0", "v19.3.0", "19.3", "19.3.0-rc1"] {
            assert_eq!(RunnerVersion::parse(text), expected, "{text}");
        }
        for text in ["", "19", "latest", "19.x", "19.3.", "19.3.0.1"] {
            assert_eq!(RunnerVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn finds_the_version_in_a_tag() {
        let expected = Some(RunnerVersion::new(18, 9));
        for tag in
            ["alpine-v18.9.0", "v18.9.0", "ubi-fips-v18.9.0", "alpine3.21-v18.9.1", "18.9.0", "18.9.0-debian-12-r3"]
        {
            assert_eq!(RunnerVersion::of_image_tag(tag), expected, "{tag}");
        }
        for tag in ["latest", "alpine-bleeding", "18.9", "1.2.3", ""] {
            assert_eq!(RunnerVersion::of_image_tag(tag), None, "{tag}");
        }
        assert_eq!(RunnerVersion::parse(DEFAULT_RELEASE), Some(RunnerVersion::DEFAULT));
    }

    #[test]
    fn orders_by_major_then_minor() {
        assert!(RunnerVersion::new(18, 11) < RunnerVersion::new(19, 0));
        assert!(RunnerVersion::ANY < RunnerVersion::EXPANDS_TOKEN);
    }
}
