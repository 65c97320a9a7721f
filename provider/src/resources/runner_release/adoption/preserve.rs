//! Preserves the pods of an imported release that are equivalent to those of this provider.
//!
//! The Deployment gets the observed pod template, field by field, and an annotation with the hash of the desired
//! template that it replaces. As long as the desired template and the Secrets do not change, no pod is replaced. After
//! any change the desired template is applied.

use std::collections::BTreeMap;

use gitlabspot_clients::kubernetes::{FIELD_MANAGER, KubernetesError, ObjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::helm::{RELEASE_NAME, is_helm_managed};
use super::merge::{self, Difference};
use super::settings::{self, Settings};
use crate::resources::runner_release::expand::{Manifest, text};
use crate::resources::runner_release::model::Desired;
use crate::resources::runner_release::private::Private;
use crate::resources::runner_release::secret_hashes::SecretHashes;
use crate::resources::runner_release::spec::ServiceAccount;
use crate::resources::runner_release::{Session, live};

/// Annotation of a Deployment with a preserved template: the hash of the desired template that it replaces.
pub(in super::super) const TEMPLATE_HASH: &str = "gitlabspot.io/template-hash";

/// The manager's pod as an import observed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ObservedPod {
    deployment: String,
    /// The template, with keyed hashes in place of values that may be secret.
    template: Json,
    /// Fields of the template that neither Helm nor this provider has written.
    foreign: Vec<String>,
    basis: Basis,
    /// Annotations of its service account, if that is part of the release.
    #[serde(default)]
    account: Option<BTreeMap<String, String>>,
    /// Secrets that have changed since the pods were started.
    #[serde(default)]
    pub(super) outdated: Vec<String>,
}

/// Why the template can be preserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Basis {
    /// Its settings can be compared with the desired ones.
    Settings(Settings),
    /// It was applied in place of the desired template with this hash.
    TemplateHash(String),
}

/// Decision of a plan about the pods.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Decision {
    /// The desired template is applied, because of these differences.
    Replace(Vec<Difference>),
    /// This template is preserved.
    Preserve(Json),
    /// The decision depends on the token, which is unknown.
    Unknown,
}

impl ObservedPod {
    fn template_for(&self, own: &Json, manager: &str, hashes: &SecretHashes) -> merge::MergedTemplate {
        merge::merge_templates(own, &self.template, &self.foreign, manager, hashes)
    }

    /// Returns the pod with its template in place of the desired one.
    pub(super) fn preserved_for(self, desired: &Desired) -> Self {
        Self { basis: Basis::TemplateHash(hash(desired.own_template())), ..self }
    }
}

impl Session<'_> {
    /// Observes the pod template of an import, and the settings that its pods were started with.
    pub(super) async fn observe_pod(
        &self,
        objects: &[Json],
        private: &mut Private,
        namespace: &str,
        release: &str,
    ) -> Result<(), KubernetesError> {
        let is_its = |object: &&Json| object["kind"] == "Deployment" && object["metadata"]["namespace"] == namespace;
        let Some(deployment) = objects.iter().find(is_its) else { return Ok(()) };
        let template = &deployment["spec"]["template"];
        let template_hash = deployment.pointer("/metadata/annotations").and_then(|all| all[TEMPLATE_HASH].as_str());
        let is_helm = |object: &Json| is_helm_managed(object, namespace, release);
        let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
        let config_map =
            objects.iter().find(|object| object["kind"] == "ConfigMap" && object["metadata"]["name"] == name);
        let mut hashes = SecretHashes::stored_or_new(private);
        let basis = match (template_hash, config_map.filter(|found| is_helm(deployment) && is_helm(found))) {
            (Some(hash), _) => Basis::TemplateHash(hash.to_owned()),
            (None, Some(config_map)) => {
                let has_token =
                    |object: &&Json| object["kind"] == "Secret" && object["data"]["runner-token"].is_string();
                let secret = objects.iter().find(|object| has_token(object) && is_helm(object));
                Basis::Settings(settings::found(config_map, secret, namespace_variable(template, name), &hashes))
            }
            // After an interrupted adoption, only the earlier observation has the settings.
            (None, None) => return Ok(()),
        };
        let names = secrets(template);
        let secrets = live::fingerprints(&self.client, &hashes, namespace, names.iter().map(String::as_str)).await?;
        hashes.record(&secrets, None);
        hashes.store(private);
        private.adoption.set_pod(ObservedPod {
            deployment: ObjectRef::of(deployment)?.to_string(),
            template: merge::redact(template, &hashes),
            foreign: merge::foreign(template, &written(deployment)),
            basis,
            account: account(objects, template),
            outdated: Vec::new(),
        });
        Ok(())
    }
}

/// Decides whether the observed pods can be preserved. `prior` are the objects in the state.
pub(super) fn decide(desired: &Desired, prior: &Manifest, private: &Private) -> Decision {
    let replace = || Decision::Replace(Vec::new());
    let Some((pod, hashes)) = private.adoption.pod().zip(private.hashes.as_ref()) else { return replace() };
    let key = desired.deployment();
    if pod.deployment != key || !prior.contains_key(&key) {
        return replace();
    }
    let own = desired.own_template();
    let merged = pod.template_for(own, &desired.spec.names.full, hashes);
    // The Secret of a token that this provider writes is compared separately.
    let others = pod.outdated.iter().filter(|name| !desired.spec.token.owned || **name != desired.spec.token.name);
    let settings = match &pod.basis {
        Basis::Settings(settings) => settings,
        Basis::TemplateHash(found) if *found != hash(own) || others.count() > 0 => return replace(),
        Basis::TemplateHash(_) => {
            return match is_same_token(desired, prior, hashes, &pod.outdated) {
                Some(true) => Decision::Preserve(merged.template),
                Some(false) => replace(),
                None => Decision::Unknown,
            };
        }
    };
    if desired.spec.token.owned && desired.token().is_none() {
        return Decision::Unknown;
    }
    let in_pod = merged
        .differences
        .into_iter()
        .map(|difference| Difference { path: format!("spec.template{}", difference.path), ..difference });
    let mut differences: Vec<Difference> = in_pod.collect();
    differences.extend(settings::differences(settings, desired, hashes));
    differences.extend(in_account(pod.account.as_ref(), &desired.spec.service_account));
    differences.extend(
        others.map(|name| Difference::at(format!("the Secret {name}, which has changed since the first refresh"))),
    );
    if differences.is_empty() { Decision::Preserve(merged.template) } else { Decision::Replace(differences) }
}

/// Preserves the template if the plan did so. If the plan could not decide, this decides.
pub(in super::super) fn preserve(
    desired: &mut Desired,
    planned: Option<&Manifest>,
    prior: &Manifest,
    private: &Private,
) {
    let Some((pod, hashes)) = private.adoption.pod().zip(private.hashes.as_ref()) else { return };
    let key = desired.deployment();
    match planned {
        Some(planned) => {
            let template = pod.template_for(desired.own_template(), &desired.spec.names.full, hashes).template;
            let shown = desired.shown_with(&template);
            if pod.deployment == key && planned.get(&key) == Some(&shown) && desired.manifest.get(&key) != Some(&shown)
            {
                desired.preserve(template);
            }
        }
        None => {
            if let Decision::Preserve(template) = decide(desired, prior, private) {
                desired.preserve(template);
            }
        }
    }
}

/// Preserves the template again after another import.
pub(in super::super) fn resume(desired: &mut Desired, private: &Private) {
    if let Some((pod, hashes)) = private.adoption.pod().zip(private.hashes.as_ref())
        && pod.basis == Basis::TemplateHash(hash(desired.own_template()))
    {
        let template = pod.template_for(desired.own_template(), &desired.spec.names.full, hashes).template;
        desired.preserve(template);
    }
}

/// The hash of a template of this provider.
pub(in super::super) fn hash(template: &Json) -> String {
    let digest = Sha256::digest(text(template));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the Secret of the token has the content that the pods were started with; `None` while the token is unknown.
fn is_same_token(desired: &Desired, prior: &Manifest, hashes: &SecretHashes, outdated: &[String]) -> Option<bool> {
    let name = &desired.spec.token.name;
    let key = live::secret(&desired.spec.names.namespace, name).to_string();
    if !desired.spec.token.owned || prior.get(&key) == desired.manifest.get(&key) && !outdated.contains(name) {
        return Some(true);
    }
    Some(hashes.is_same_secret(name, Some(&desired.secret()?.expose())))
}

/// Returns the fields of a Deployment's template in `managedFields` that Helm and this provider have written.
fn written(deployment: &Json) -> Vec<&Json> {
    let entries = deployment["metadata"]["managedFields"].as_array();
    let entries =
        || entries.into_iter().flatten().filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty());
    let annotation = format!("f:{RELEASE_NAME}");
    let wrote = |entry: &&Json| entry["fieldsV1"]["f:metadata"]["f:annotations"].get(&annotation).is_some();
    let writers: Vec<&Json> = entries().filter(wrote).map(|entry| &entry["manager"]).collect();
    entries()
        .filter(|entry| entry["manager"] == FIELD_MANAGER || writers.contains(&&entry["manager"]))
        .map(|entry| &entry["fieldsV1"]["f:spec"]["f:template"])
        .filter(|fields| !fields.is_null())
        .collect()
}

/// Returns the namespace of jobs, if the chart passes it to the registration and not in the configuration.
fn namespace_variable<'a>(template: &'a Json, manager: &str) -> Option<&'a str> {
    let containers = template.pointer("/spec/containers").and_then(Json::as_array)?;
    let container = containers.iter().find(|container| container["name"] == manager)?;
    let variable = container["env"].as_array()?.iter().find(|variable| variable["name"] == "KUBERNETES_NAMESPACE")?;
    variable["value"].as_str()
}

/// Returns the annotations of the pod's service account.
fn account(objects: &[Json], template: &Json) -> Option<BTreeMap<String, String>> {
    let name = template.pointer("/spec/serviceAccountName")?;
    let is_its = |object: &&Json| object["kind"] == "ServiceAccount" && object["metadata"]["name"] == *name;
    let annotations = objects.iter().find(is_its)?["metadata"]["annotations"].as_object();
    let texts = annotations.into_iter().flatten();
    Some(texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect())
}

/// Returns a difference if a desired annotation is missing or has a different value.
fn in_account(found: Option<&BTreeMap<String, String>>, own: &ServiceAccount) -> Option<Difference> {
    let found = found.filter(|_| own.create)?;
    let is_other = own.annotations.iter().any(|(name, value)| found.get(name) != Some(value));
    is_other.then(|| Difference::at("annotations of the service account"))
}

/// Returns the Secrets that the manager reads when it starts.
fn secrets(template: &Json) -> Vec<String> {
    let volumes = template.pointer("/spec/volumes").and_then(Json::as_array).into_iter().flatten();
    let of_volume = |volume: &Json| {
        let sources = volume.pointer("/projected/sources").and_then(Json::as_array).into_iter().flatten();
        let mut names: Vec<Json> = sources.map(|source| source["secret"]["name"].clone()).collect();
        names.push(volume["secret"]["secretName"].clone());
        names
    };
    let its_own = |volume: &&Json| volume["name"] == "projected-secrets" || volume["name"] == "custom-certs";
    let mut names: Vec<String> =
        volumes.filter(its_own).flat_map(of_volume).filter_map(|name| name.as_str().map(str::to_owned)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_role_of_the_account_is_a_difference() {
        let objects =
            [json!({ "kind": "ServiceAccount", "metadata": { "name": "a", "annotations": { "role": "1" } } })];
        let template = json!({ "spec": { "serviceAccountName": "a" } });
        let found = account(&objects, &template);
        let own = |create, annotations: &[(&str, &str)]| ServiceAccount {
            create,
            name: "a".to_owned(),
            annotations: annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            image_pull_secrets: Vec::new(),
        };
        assert_eq!(in_account(found.as_ref(), &own(true, &[("role", "1")])), None);
        assert_eq!(in_account(found.as_ref(), &own(true, &[])), None);
        assert!(in_account(found.as_ref(), &own(true, &[("role", "2")])).is_some());
        assert_eq!(in_account(found.as_ref(), &own(false, &[("role", "2")])), None);
        assert_eq!(account(&objects, &json!({ "spec": { "serviceAccountName": "b" } })), None);
    }
}
