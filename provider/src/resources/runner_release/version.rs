//! The version of GitLab Runner of a release.

use gitlabspot_runner_config::version::{DEFAULT_RELEASE, RunnerVersion};
use tfplugin::framework::{AttributePath, Diagnostic};

use super::schema::RunnerReleaseSettings;

/// Returns the version in `runner_version`, or else in the tag of `image`.
///
/// # Errors
///
/// Invalid versions, and versions that are too old.
pub fn asked(typed: &RunnerReleaseSettings) -> Result<Option<RunnerVersion>, Vec<Diagnostic>> {
    let Some(text) = typed.runner_version.as_deref() else {
        return Ok(typed.image.as_deref().and_then(RunnerVersion::of_image));
    };
    let wrong = |detail: String| {
        vec![Diagnostic::error("Invalid runner version", detail).at(AttributePath::of("runner_version"))]
    };
    let Some(version) = RunnerVersion::parse(text) else {
        return Err(wrong(format!(
            "\"{text}\" is not a version such as \"{DEFAULT_RELEASE}\". For a custom image, set image as well."
        )));
    };
    if version < RunnerVersion::OLDEST {
        let oldest = RunnerVersion::OLDEST;
        return Err(wrong(format!(
            "GitLab Runner {version} is not supported. The oldest supported version is {oldest}."
        )));
    }
    Ok(Some(version))
}

/// The version of GitLab Runner that runs, if it is known.
#[derive(Debug)]
pub struct Running {
    /// The version for which keys of the configuration are validated.
    pub version: RunnerVersion,
    /// Whether there is an image, and neither its tag nor a setting contains the version.
    is_unknown: bool,
    findings: Vec<Diagnostic>,
}

impl Running {
    /// Determines the version of a release with its values files, which can also set the tag of the image.
    pub fn of(
        asked: Option<RunnerVersion>,
        typed: &RunnerReleaseSettings,
        settings: &RunnerReleaseSettings,
        tag: Option<&str>,
    ) -> Self {
        let of_tag = RunnerVersion::of_image_or_tag(settings.image.as_deref(), tag);
        let known = asked.or(of_tag);
        let is_unknown = known.is_none() && (settings.image.is_some() || tag.is_some());
        let version = known.unwrap_or(RunnerVersion::DEFAULT);
        let findings = unknown_version(is_unknown, typed, settings.image.as_deref().or(tag))
            .into_iter()
            .chain(without_patch(typed, settings, tag))
            .collect();
        Self { version, is_unknown, findings }
    }

    /// Whether a complete config.toml needs no registration step.
    pub fn expands_token(&self) -> bool {
        !self.is_unknown && self.version >= RunnerVersion::EXPANDS_TOKEN
    }

    /// Returns the diagnostics about the version.
    pub fn findings(self) -> Vec<Diagnostic> {
        self.findings
    }
}

fn unknown_version(is_unknown: bool, typed: &RunnerReleaseSettings, image: Option<&str>) -> Option<Diagnostic> {
    let at = if typed.image.is_some() { "image" } else { "values" };
    let (oldest, default) = (RunnerVersion::OLDEST, RunnerVersion::DEFAULT);
    let (reason, advice) = match image.and_then(RunnerVersion::too_old) {
        Some(version) => (
            format!(
                "GitLab Runner {version}, the version in the tag of the image, is older than {oldest}, the oldest supported version."
            ),
            "Use a newer image.",
        ),
        None => (
            format!(
                "The tag of the image does not contain the version of GitLab Runner, as alpine-v{DEFAULT_RELEASE} does."
            ),
            "Set runner_version to the version in the image.",
        ),
    };
    let detail = format!(
        "{reason} Each pod registers its runner when it starts, which works with every version, and the configuration is \
         validated for {default}. {advice}"
    );
    is_unknown.then(|| Diagnostic::warning("Runner version not known", detail).at(AttributePath::of(at)))
}

/// Returns an error for a version of two numbers: tags of the official image have three.
fn without_patch(
    typed: &RunnerReleaseSettings,
    settings: &RunnerReleaseSettings,
    tag: Option<&str>,
) -> Option<Diagnostic> {
    let text = typed.runner_version.as_deref().filter(|_| settings.image.is_none() && tag.is_none())?;
    let number = text.trim_start_matches('v');
    let detail = format!(
        "GitLab does not publish an image for \"{text}\". Specify the patch release, for example \"{number}.0\", or \
         set image."
    );
    (number.split('.').count() < 3).then(|| {
        Diagnostic::error("Runner version without a patch release", detail).at(AttributePath::of("runner_version"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn running(typed: serde_json::Value, tag: Option<&str>) -> (String, bool, Vec<String>) {
        let typed: RunnerReleaseSettings = serde_json::from_value(typed).unwrap();
        let running = Running::of(asked(&typed).unwrap(), &typed, &typed, tag);
        let (version, expands) = (running.version.to_string(), running.expands_token());
        let found = running.findings().into_iter().map(|found| format!("{:?} {}", found.severity, found.summary));
        (version, expands, found.collect())
    }

    #[test]
    fn version_is_taken_from_image_or_chart() {
        let known = |version: &str, expands| (version.to_owned(), expands, Vec::new());
        assert_eq!(running(json!({}), None), known("19.3", true));
        assert_eq!(running(json!({ "image": "mirror/gitlab-runner:alpine-v18.5.0" }), None), known("18.5", false));
        assert_eq!(running(json!({ "image": "host:5000/runner:17.8.0@sha256:x" }), None), known("17.8", false));
        assert_eq!(running(json!({ "image": "host/x:latest", "runner_version": "18.11" }), None), known("18.11", true));
        assert_eq!(running(json!({}), Some("17.8.0-debian-12-r1")), known("17.8", false));
        let image = json!({ "image": "x:v19.0.0" });
        assert_eq!(running(image, Some("v17.0.0")), known("19.0", true));
    }

    #[test]
    fn image_of_unknown_version_registers() {
        let warned = || ("19.3".to_owned(), false, vec!["Warning Runner version not known".to_owned()]);
        for image in
            ["mirror/gitlab-runner", "mirror/gitlab-runner:latest", "mirror:5000/gitlab-runner@sha256:x", "x:1.4.2"]
        {
            assert_eq!(running(json!({ "image": image }), None), warned(), "{image}");
        }
        assert_eq!(running(json!({}), Some("alpine-bleeding")), warned());
    }

    #[test]
    fn version_that_is_too_old_is_named() {
        let detail = |image: &str| {
            let typed: RunnerReleaseSettings = serde_json::from_value(json!({ "image": image })).unwrap();
            Running::of(None, &typed, &typed, None).findings().remove(0).detail
        };
        assert!(
            detail("registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v13.5.0").starts_with("GitLab Runner 13.5, ")
        );
        assert!(detail("mirror/x:v1.4.0").starts_with("The tag of the image does not contain"));
    }

    #[test]
    fn an_official_image_has_a_patch_release() {
        let found = |typed| running(typed, None).2;
        assert_eq!(found(json!({ "runner_version": "19.3" })), ["Error Runner version without a patch release"]);
        assert_eq!(found(json!({ "runner_version": "19.3", "image": "x" })), [""; 0]);
        assert_eq!(found(json!({ "runner_version": "v19.3.1" })), [""; 0]);
        let old = serde_json::from_value(json!({ "runner_version": "14.10.1" })).unwrap();
        assert_eq!(
            asked(&old).unwrap_err()[0].detail,
            "GitLab Runner 14.10 is not supported. The oldest supported version is 15.0."
        );
    }
}
