//! The version of GitLab Runner of an imported release.
//!
//! It is kept if the configuration specifies none, because an import is no update.

use gitlabspot_runner_config::version::{DEFAULT_RELEASE, RunnerVersion};
use serde_json::Value as Json;
use tfplugin::framework::Value;

use super::private::Private;
use super::schema::RunnerRelease;
use super::spec;

/// Returns the version in the official image of the manager, if it is supported and not the default.
fn of(deployment: &Json) -> Option<String> {
    let manager = &deployment["metadata"]["name"];
    let containers = deployment.pointer("/spec/template/spec/containers")?.as_array()?;
    let image = containers.iter().find(|container| container["name"] == *manager)?["image"].as_str()?;
    let version = spec::official_version(image)?;
    let is_supported = RunnerVersion::parse(version).is_some_and(|version| version >= RunnerVersion::OLDEST);
    (is_supported && version != DEFAULT_RELEASE).then(|| version.to_owned())
}

/// Records the version in the Deployment of an import.
pub(super) fn note(deployment: &Json, private: &mut Private) {
    if private.running_version.is_none() {
        private.running_version = of(deployment);
    }
}

/// Returns the attributes, with the recorded version if they specify none.
pub(super) fn kept(model: &RunnerRelease, private: &Private) -> RunnerRelease {
    let mut model = model.clone();
    if let Some(version) = &private.running_version
        && model.runner_version.is_null()
        && model.image.is_null()
        && model.values.is_null()
    {
        model.runner_version = Value::from(version.as_str());
    }
    model
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(image: &str) -> Json {
        let containers = json!([{ "name": "sidecar", "image": "x" }, { "name": "gitlab-runner", "image": image }]);
        json!({ "metadata": { "name": "gitlab-runner" }, "spec": { "template": { "spec": { "containers": containers } } } })
    }

    #[test]
    fn version_is_read_from_the_official_image() {
        let of = |tag: &str| super::of(&deployment(&format!("registry.gitlab.com/gitlab-org/gitlab-runner:{tag}")));
        assert_eq!(of("alpine-v18.9.0"), Some("18.9.0".to_owned()));
        assert_eq!(of(&format!("alpine-v{DEFAULT_RELEASE}")), None);
        assert_eq!(of("alpine-bleeding"), None);
        assert_eq!(of("alpine-v14.0.0"), None);
        assert_eq!(super::of(&deployment("mirror/gitlab-runner:alpine-v18.9.0")), None);
    }

    #[test]
    fn configuration_takes_precedence() {
        let private = Private { running_version: Some("18.9.0".to_owned()), ..Private::default() };
        let given = RunnerRelease { runner_version: "19.0.0".into(), ..RunnerRelease::default() };
        assert_eq!(kept(&RunnerRelease::default(), &private).runner_version, "18.9.0".into());
        assert_eq!(kept(&given, &private), given);
        let image = RunnerRelease { image: "x".into(), ..RunnerRelease::default() };
        assert_eq!(kept(&image, &private), image);
        assert_eq!(kept(&given, &Private::default()), given);
    }
}
