//! What a release is to be, in the three forms that it is needed in: objects to apply, what plan and state show of them,
//! and what else is computed.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tfplugin::framework::value::{List, Secret, known_list};
use tfplugin::framework::{Diagnostic, Diagnostics, Value};

use super::adoption::{self, TEMPLATE_HASH};
use super::live;
use super::manifests::{self, Fingerprints, SecretObject};
use super::schema::{ReleaseObject, RunnerRelease};
use super::settings::{self, Unresolved};
use super::spec::{self, Given, ReleaseSpec, TokenKind};
use crate::objects::manifest::entry;
pub(super) use crate::objects::manifest::{Manifest, parsed, shown_manifest, text};

/// Stands in the Deployment for the checksum of the Secrets, which only an apply can know.
pub(super) const SECRETS_CHECKSUM: &str = "checksum/secrets";
pub(super) const CURRENT: &str = "(of the Secrets in use)";

/// A fully resolved release.
#[derive(Debug)]
pub(super) struct Desired {
    pub(super) spec: ReleaseSpec,
    pub(super) manifest: Manifest,
    pub(super) warnings: Vec<Diagnostic>,
    /// Whether a values file gives the token.
    pub(super) has_token_in_values: bool,
    /// The token to write; `None` when the Secret is someone else's, or the token is not known yet.
    token: Option<SecretString>,
    /// The pod template of our own.
    template: Json,
    /// The one that was found and is applied instead.
    preserved: Option<Json>,
}

impl Desired {
    /// From the planned attributes, and the configuration for its write-only values.
    ///
    /// # Errors
    /// What is unknown, or all that is wrong with it, at the attributes.
    pub(super) fn of(
        planned: &RunnerRelease,
        config: &RunnerRelease,
        existing_secret: Option<TokenKind>,
    ) -> Result<Self, Unresolved> {
        let write_only = write_only_token(config)?;
        let values = known_list(&planned.values).ok_or(Unresolved::Unknown)?;
        let typed = settings::of(planned)?;
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let token = write_only.as_ref().map(|token| token.kind);
        let resolved = spec::resolve(Given { typed, values: &values, token, existing_secret });
        let spec::Resolved { spec, token: in_values, warnings } =
            resolved.map_err(|found| found.into_iter().collect::<Diagnostics>())?;
        let version = match (&write_only, spec.token.kind) {
            (None, _) => in_values.as_ref().map(|token| format!("sha256 {}", hash(token))),
            (Some(_), TokenKind::Authentication) => version(&planned.runner_token_wo_version)?,
            (Some(_), TokenKind::Registration) => version(&planned.registration_token_wo_version)?,
        };
        let has_token_in_values = write_only.is_none() && in_values.is_some();
        let (manifest, template) = manifest(&spec, version.as_deref()).map_err(|error| unwritable(&error))?;
        Ok(Self {
            spec,
            manifest,
            template,
            preserved: None,
            has_token_in_values,
            warnings: warnings.into_iter().collect(),
            token: write_only.map_or(in_values, |token| token.token),
        })
    }

    /// The objects to apply, but for the token's Secret.
    ///
    /// # Errors
    /// None for a checked configuration.
    pub(super) fn objects(&self, fingerprints: &Fingerprints) -> Result<Vec<Json>, Diagnostics> {
        let mut objects = manifests::objects(&self.spec, fingerprints).map_err(|error| unwritable(&error))?;
        if let (Some(template), Some(deployment)) =
            (&self.preserved, objects.iter_mut().find(|object| object["kind"] == "Deployment"))
        {
            self.put(template, deployment);
        }
        Ok(objects)
    }

    /// The Deployment's name in the manifest.
    pub(super) fn deployment(&self) -> String {
        deployment(&self.spec)
    }

    /// The pod template of our own, as the plan shows it, but for the values of variables, which it has.
    pub(super) fn own_template(&self) -> &Json {
        &self.template
    }

    /// Whether a template that was found stands for ours.
    pub(super) fn preserves(&self) -> bool {
        self.preserved.is_some()
    }

    /// Has the Deployment keep the template that was found.
    pub(super) fn preserve(&mut self, template: Json) {
        let shown = self.shown_with(&template);
        self.manifest.insert(self.deployment(), shown);
        self.preserved = Some(template);
    }

    /// The Deployment with a template that was found, as the plan shows it.
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

    /// The token to write, if it is known.
    pub(super) fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// The token's Secret, if it is ours and the token is known.
    pub(super) fn secret(&self) -> Option<SecretObject> {
        manifests::token_secret(&self.spec, self.token.as_ref()?)
    }

    /// Fills the computed attributes in. `status` is up to the cluster.
    pub(super) fn describe(&self, model: &mut RunnerRelease) -> Result<(), Diagnostics> {
        model.manifest = shown_manifest(&self.manifest);
        model.objects = objects(&self.manifest);
        let rendered = manifests::config_toml_rendered(&self.spec).map_err(|error| unwritable(&error))?;
        model.config_toml_rendered = rendered.into();
        model.job_pod = Value::Known(self.spec.job_pod.clone());
        Ok(())
    }
}

fn deployment(spec: &ReleaseSpec) -> String {
    live::deployment(&spec.names.namespace, &spec.names.full).to_string()
}

fn version(version: &Value<i64>) -> Result<Option<String>, Unresolved> {
    match version {
        Value::Unknown => Err(Unresolved::Unknown),
        Value::Null => Ok(None),
        Value::Known(version) => Ok(Some(format!("version {version}"))),
    }
}

/// The token that the configuration gives beside the values files.
#[derive(Clone, Debug)]
struct WriteOnlyToken {
    kind: TokenKind,
    /// `None` while it is unknown.
    token: Option<SecretString>,
}

/// The token of a configuration, if it has one.
///
/// # Errors
/// It is unknown which of the two it will be.
fn write_only_token(config: &RunnerRelease) -> Result<Option<WriteOnlyToken>, Unresolved> {
    use TokenKind::{Authentication, Registration};
    use Value::{Known, Null, Unknown};
    let given = |kind, token: &Secret| WriteOnlyToken { kind, token: Some(token.clone().into_inner()) };
    Ok(match (&config.runner_token_wo, &config.registration_token_wo) {
        (Known(token), _) => Some(given(Authentication, token)),
        (_, Known(token)) => Some(given(Registration, token)),
        (Unknown, Null) => Some(WriteOnlyToken { kind: Authentication, token: None }),
        (Null, Unknown) => Some(WriteOnlyToken { kind: Registration, token: None }),
        (Null, Null) => None,
        (Unknown, Unknown) => return Err(Unresolved::Unknown),
    })
}

/// Tells one token from another. Tokens are long and random, so that nobody finds them from it; this one is in the
/// state already, within the values.
fn hash(token: &SecretString) -> String {
    let digest = Sha256::digest(token.expose_secret().trim());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn unwritable(error: &toml::ser::Error) -> Diagnostics {
    Diagnostic::error("Configuration cannot be written as TOML", format!("The runner's configuration: {error}.")).into()
}

/// What plan and state show, and the pod template with the values of variables.
fn manifest(spec: &ReleaseSpec, token_version: Option<&str>) -> Result<(Manifest, Json), toml::ser::Error> {
    let mut objects = manifests::shown(spec, &Fingerprints::new())?;
    let mut template = Json::Null;
    if let Some(deployment) = objects.iter_mut().find(|object| object["kind"] == "Deployment") {
        if let Some(Json::Object(annotations)) = deployment.pointer_mut("/spec/template/metadata/annotations") {
            annotations.insert(SECRETS_CHECKSUM.to_owned(), json!(CURRENT));
        }
        template = deployment["spec"]["template"].clone();
        manifests::hide_texts(deployment, spec);
    }
    // The token itself is not shown, so that any stands for it here.
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

/// Their places as an attribute.
pub(super) fn objects(manifest: &Manifest) -> Value<List<ReleaseObject>> {
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
    fn what_users_write_is_not_shown() {
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
        let told = |release: &RunnerRelease| {
            let (desired, mut described) = (desired(release), RunnerRelease::default());
            desired.describe(&mut described).unwrap();
            (format!("{:?} {:?}", described.manifest, described.config_toml_rendered), desired)
        };
        let (shown, one) = told(&release("very-secret"));
        assert!(!shown.contains("very-secret"), "{shown}");
        for name in ["NAME", "AUTH=(sensitive)", "PASSWORD=(sensitive)", "SIDE"] {
            assert!(shown.contains(name), "{name} in {shown}");
        }
        let applied = json!(one.objects(&Fingerprints::new()).unwrap()).to_string();
        assert_eq!(applied.matches("very-secret").count(), 10, "{applied}");
        // Another value is another pod.
        let (other, another) = told(&release("other-secret"));
        assert_ne!(shown, other);
        assert_ne!(one.own_template(), another.own_template());
        assert_eq!(one.shown_with(one.own_template()).matches("very-secret").count(), 0);
    }

    #[test]
    fn a_token_in_values_is_told_by_its_hash() {
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

    #[test]
    fn a_token_tells_its_kind() {
        let kind = |runner: Value<Secret>, registration: Value<Secret>| {
            let config = RunnerRelease {
                runner_token_wo: runner,
                registration_token_wo: registration,
                ..RunnerRelease::default()
            };
            write_only_token(&config).map(|token| token.map(|token| (token.kind, token.token.is_some())))
        };
        let (authentication, registration) = (TokenKind::Authentication, TokenKind::Registration);
        assert_eq!(kind("a".into(), Value::Unknown), Ok(Some((authentication, true))));
        assert_eq!(kind(Value::Unknown, "b".into()), Ok(Some((registration, true))));
        assert_eq!(kind(Value::Null, Value::Unknown), Ok(Some((registration, false))));
        assert_eq!(kind(Value::Null, Value::Null), Ok(None));
        assert_eq!(kind(Value::Unknown, Value::Unknown), Err(Unresolved::Unknown));
    }

    #[test]
    fn unknown_values_files_decide_nothing() {
        let planned = RunnerRelease { values: Value::Unknown, ..release() };
        assert_eq!(Desired::of(&planned, &planned, None).map(drop), Err(Unresolved::Unknown));
    }
}
