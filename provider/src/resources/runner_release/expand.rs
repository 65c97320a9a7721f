//! Maps the desired release to its objects, and to their form in plan and state.

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tfplugin::framework::value::List;
use tfplugin::framework::{Diagnostic, Diagnostics, Value};

use super::adoption::{self, TEMPLATE_HASH};
use super::live;
use super::manifests::{self, Fingerprints};
use super::model::Desired;
use super::schema::{ReleaseObject, RunnerRelease};
use super::spec::{ReleaseSpec, TokenKind};
use crate::objects::manifest::entry;
pub(super) use crate::objects::manifest::{Manifest, parsed, shown_manifest, text};
use crate::objects::{Attributes, ShowsObjects};

/// Annotation of the pod template with the checksum of the Secrets.
pub(super) const SECRETS_CHECKSUM: &str = "checksum/secrets";
/// Replaces the checksum in plan and state: only an apply reads the Secrets.
pub(super) const CURRENT: &str = "(of the Secrets in use)";

impl Desired {
    /// Returns the objects to apply, except the Secret of the token.
    ///
    /// # Errors
    /// None for a validated configuration.
    pub(super) fn objects(&self, fingerprints: &Fingerprints) -> Result<Vec<Json>, Diagnostics> {
        let mut objects = manifests::objects(&self.spec, fingerprints).map_err(|error| unwritable(&error))?;
        if let (Some(template), Some(deployment)) =
            (&self.preserved, objects.iter_mut().find(|object| object["kind"] == "Deployment"))
        {
            self.put(template, deployment);
        }
        Ok(objects)
    }

    /// Returns the key of the Deployment in the manifest.
    pub(super) fn deployment(&self) -> String {
        live::deployment(&self.spec.names.namespace, &self.spec.names.full).to_string()
    }

    /// Keeps the observed pod template in the Deployment.
    pub(super) fn preserve(&mut self, template: Json) {
        let shown = self.shown_with(&template);
        self.manifest.insert(self.deployment(), shown);
        self.preserved = Some(template);
    }

    /// Returns the Deployment with an observed pod template, as the plan shows it.
    pub(super) fn shown_with(&self, template: &Json) -> String {
        let shown = self.manifest.get(&self.deployment());
        let mut deployment = shown.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        self.put(template, &mut deployment);
        let checksum = format!("/spec/template/metadata/annotations/{}", SECRETS_CHECKSUM.replace('/', "~1"));
        if let Some(checksum) = deployment.pointer_mut(&checksum) {
            *checksum = json!(CURRENT);
        }
        manifests::hide_texts(&mut deployment, &self.spec);
        text(&deployment)
    }

    fn put(&self, template: &Json, deployment: &mut Json) {
        deployment["spec"]["template"] = template.clone();
        deployment["metadata"]["annotations"][TEMPLATE_HASH] = json!(adoption::hash(&self.template));
    }

    /// Sets the computed attributes except `status`, which only the cluster has.
    pub(super) fn describe(&self, model: &mut RunnerRelease) -> Result<(), Diagnostics> {
        model.show(&self.manifest);
        let rendered = manifests::config_toml_rendered(&self.spec).map_err(|error| unwritable(&error))?;
        model.config_toml_rendered = rendered.into();
        model.job_pod = Value::Known(self.spec.job_pod.clone());
        Ok(())
    }
}

impl ShowsObjects for RunnerRelease {
    fn attributes(&self) -> Attributes<'_> {
        let Self { cluster_name, namespace, name, manifest, .. } = self;
        Attributes { cluster_name, namespace, name, manifest }
    }

    fn show(&mut self, manifest: &Manifest) {
        self.manifest = shown_manifest(manifest);
        self.objects = objects(manifest);
    }
}

pub(super) fn unwritable(error: &toml::ser::Error) -> Diagnostics {
    Diagnostic::error("Configuration cannot be written as TOML", format!("The runner's configuration: {error}.")).into()
}

/// Returns the manifest, and the pod template with the values of environment variables.
pub(super) fn manifest(spec: &ReleaseSpec, token_version: Option<&str>) -> Result<(Manifest, Json), toml::ser::Error> {
    let mut objects = manifests::shown(spec, &Fingerprints::new())?;
    let mut template = Json::Null;
    if let Some(deployment) = objects.iter_mut().find(|object| object["kind"] == "Deployment") {
        if let Some(Json::Object(annotations)) = deployment.pointer_mut("/spec/template/metadata/annotations") {
            annotations.insert(SECRETS_CHECKSUM.to_owned(), json!(CURRENT));
        }
        template = deployment["spec"]["template"].clone();
        manifests::hide_texts(deployment, spec);
    }
    // The manifest does not contain the token, so an empty one is sufficient.
    if let Some(secret) = manifests::token_secret(spec, &SecretString::default()) {
        let mut secret = secret.redacted();
        let shown = token_version.map_or_else(|| "(sensitive)".to_owned(), |version| format!("(sensitive, {version})"));
        let key = match spec.token.kind {
            TokenKind::Authentication => "runner-token",
            TokenKind::Registration => "runner-registration-token",
        };
        secret["data"][key] = json!(shown);
        objects.push(secret);
    }
    Ok((objects.iter().filter_map(entry).collect(), template))
}

/// Returns the value of the attribute `objects`.
fn objects(manifest: &Manifest) -> Value<List<ReleaseObject>> {
    let listed = parsed(manifest).map(|object| {
        let text = |value: &Json| value.as_str().map(str::to_owned).into();
        Value::Known(ReleaseObject {
            api_version: text(&object["apiVersion"]),
            kind: text(&object["kind"]),
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
        })
    });
    Value::Known(listed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> RunnerRelease {
        RunnerRelease {
            gitlab_url: "https://gitlab.com/".into(),
            runner_token_wo_version: 1.into(),
            ..RunnerRelease::default()
        }
    }

    fn desired(planned: &RunnerRelease) -> Desired {
        let config = RunnerRelease { runner_token_wo: "glrt-very-secret".into(), ..planned.clone() };
        Desired::of(planned, &config, None).unwrap()
    }

    #[test]
    fn the_manifest_shows_everything_but_secrets() {
        let desired = desired(&release());
        let place = "gitlab-runner/gitlab-runner";
        assert_eq!(
            desired.manifest.keys().cloned().collect::<Vec<_>>(),
            ["ConfigMap", "Deployment", "Role", "RoleBinding", "Secret", "ServiceAccount"]
                .map(|kind| format!("{kind} {place}"))
        );
        let secret: Json = serde_json::from_str(&desired.manifest[&format!("Secret {place}")]).unwrap();
        assert_eq!(secret["data"]["runner-token"], "(sensitive, version 1)");
        assert!(!format!("{:?}", desired.manifest).contains("very-secret"));
        assert!(desired.secret().is_some());
    }

    #[test]
    fn user_values_are_not_shown() {
        let raw = |json: Json| Value::Known(tfplugin::framework::Raw::from(&json));
        let texts = |value: &str| Value::Known([("NAME".to_owned(), Value::from(value))].into());
        let release = |secret: &str| RunnerRelease {
            extra_env: texts(secret),
            config_maps: texts(secret),
            pre_entrypoint_script: secret.into(),
            config: raw(json!({
                "environment": [format!("AUTH={secret}")],
                "pre_build_script": secret,
                "kubernetes": {
                    "services": [{
                        "name": "db", "environment": [format!("PASSWORD={secret}")],
                        "command": ["db", format!("--key={secret}")],
                    }],
                    "pod_spec": [{ "name": "p", "patch": format!("hostname: {secret}"), "patch_type": "merge" }],
                },
            })),
            extra_containers: raw(json!([{
                "name": "s", "env": [{ "name": "SIDE", "value": secret }], "args": ["--key", secret],
            }])),
            ..release()
        };
        let output = |release: &RunnerRelease| {
            let (desired, mut described) = (desired(release), RunnerRelease::default());
            desired.describe(&mut described).unwrap();
            (format!("{:?} {:?}", described.manifest, described.config_toml_rendered), desired)
        };
        let (shown, one) = output(&release("very-secret"));
        assert!(!shown.contains("very-secret"), "{shown}");
        for name in ["NAME", "AUTH=(sensitive)", "PASSWORD=(sensitive)", "SIDE"] {
            assert!(shown.contains(name), "{name} in {shown}");
        }
        let applied = json!(one.objects(&Fingerprints::new()).unwrap()).to_string();
        assert_eq!(applied.matches("very-secret").count(), 10, "{applied}");
        // A different value results in a different pod template.
        let (other, another) = output(&release("other-secret"));
        assert_ne!(shown, other);
        assert_ne!(one.own_template(), another.own_template());
        assert_eq!(one.shown_with(one.own_template()).matches("very-secret").count(), 0);
    }

    #[test]
    fn token_in_values_is_shown_as_a_hash() {
        let manifest = |token: &str| {
            let values = Value::Known(vec![format!("runnerToken: {token}").into()]);
            let planned = RunnerRelease { values, ..release() };
            let desired = Desired::of(&planned, &planned, None).unwrap();
            assert!(desired.secret().is_some());
            desired.manifest["Secret gitlab-runner/gitlab-runner"].clone()
        };
        assert_ne!(manifest("glrt-a"), manifest("glrt-b"));
        assert!(!manifest("glrt-a").contains("glrt-a"));
    }
}
