//! The manager's pods are kept when the pod that is there does what the one that would be made does.
//!
//! Then the Deployment keeps the pod template that was found, field by field, and it stands for the one of our own: as
//! long as ours stays what it was, nothing rolls. As soon as ours is another one, or a Secret is, ours is applied.

use std::collections::BTreeMap;

use gitlabspot_clients::kubernetes::{FIELD_MANAGER, KubernetesError, ObjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::files::{self, Parts};
use super::weave::{self, Difference};
use super::{RELEASE_NAME, is_helms};
use crate::resources::runner_release::expand::{Manifest, Wanted, text};
use crate::resources::runner_release::memory::Memory;
use crate::resources::runner_release::private::Private;
use crate::resources::runner_release::spec::ServiceAccount;
use crate::resources::runner_release::{Session, live};

/// On a Deployment whose template was found: the hash of ours that it stands for.
pub(in super::super) const TEMPLATE_HASH: &str = "gitlabspot.io/template-hash";

/// What is remembered of the pod that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    deployment: String,
    /// Veiled.
    template: Json,
    /// Its fields that are neither Helm's nor ours.
    foreign: Vec<String>,
    /// What it was started with; until it stands for ours.
    parts: Option<Parts>,
    stands_for: Option<String>,
    /// Annotations of its service account, if that is of the release.
    #[serde(default)]
    account: Option<BTreeMap<String, String>>,
}

/// What is to become of the pods.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Verdict {
    /// They are ours, or become it, for these reasons.
    Ours(Vec<Difference>),
    /// This template is kept.
    Keeps(Json),
    /// The token would tell, and is not known yet.
    Later,
}

impl Found {
    fn template_for(&self, own: &Json, manager: &str, memory: &Memory) -> weave::Woven {
        weave::weave(own, &self.template, &self.foreign, manager, memory)
    }
}

impl Session<'_> {
    /// Looks at the pod of an import, and remembers what a plan needs to know of it.
    pub(in super::super) async fn look_at_pod(
        &self,
        objects: &[Json],
        private: &mut Private,
        namespace: &str,
        release: &str,
    ) -> Result<(), KubernetesError> {
        let is_its = |object: &&Json| object["kind"] == "Deployment" && object["metadata"]["namespace"] == namespace;
        let Some(deployment) = objects.iter().find(is_its) else { return Ok(()) };
        let template = &deployment["spec"]["template"];
        let stands_for = deployment.pointer("/metadata/annotations").and_then(|all| all[TEMPLATE_HASH].as_str());
        let is_helms = |object: &Json| is_helms(object, namespace, release);
        let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
        let config_map =
            objects.iter().find(|object| object["kind"] == "ConfigMap" && object["metadata"]["name"] == name);
        let mut memory = Memory::of_or_new(private);
        let parts = match config_map {
            Some(config_map) if is_helms(deployment) && is_helms(config_map) => {
                let has_token =
                    |object: &&Json| object["kind"] == "Secret" && object["data"]["runner-token"].is_string();
                let secret = objects.iter().find(|object| has_token(object) && is_helms(object));
                Some(files::found(config_map, secret, namespace_variable(template, name), &memory))
            }
            // An adoption that stopped half way: what was remembered before is all there is.
            _ if stands_for.is_none() => return Ok(()),
            _ => None,
        };
        let names = secrets(template);
        let secrets = live::fingerprints(&self.client, &memory, namespace, names.iter().map(String::as_str)).await?;
        memory.note(&secrets, None);
        memory.keep(private);
        let found = Found {
            deployment: ObjectRef::of(deployment)?.to_string(),
            template: weave::veil(template, &memory),
            foreign: weave::foreign(template, &written(deployment)),
            parts,
            stands_for: stands_for.map(str::to_owned),
            account: account(objects, template),
        };
        private.adoption.found = Some(found);
        Ok(())
    }
}

/// What a look at the Secrets has shown.
pub(in super::super) fn note_outdated(private: &mut Private, names: &[String]) {
    private.adoption.outdated = names.to_vec();
}

/// Whether the pods that were found can stay. `prior` is what the state has of the objects.
pub(in super::super) fn judge(wanted: &Wanted, prior: &Manifest, private: &Private) -> Verdict {
    let ours = || Verdict::Ours(Vec::new());
    let (Some(found), Some(memory)) = (private.adoption.found.clone(), private.memory.clone()) else { return ours() };
    let key = wanted.deployment();
    if found.deployment != key || !prior.contains_key(&key) {
        return ours();
    }
    let own = wanted.own_template();
    let woven = found.template_for(own, &wanted.spec.names.full, &memory);
    let outdated: Vec<String> = private.adoption.outdated.clone();
    let others = outdated.iter().filter(|name| !wanted.spec.token.owned || **name != wanted.spec.token.name);
    if let Some(stands_for) = &found.stands_for {
        if *stands_for != hash(own) || others.count() > 0 {
            return ours();
        }
        return match is_same_token(wanted, prior, &memory, &outdated) {
            Some(true) => Verdict::Keeps(woven.template),
            Some(false) => ours(),
            None => Verdict::Later,
        };
    }
    let Some(parts) = &found.parts else { return ours() };
    if wanted.spec.token.owned && wanted.token().is_none() {
        return Verdict::Later;
    }
    let in_pod = woven
        .differences
        .into_iter()
        .map(|difference| Difference { path: format!("spec.template{}", difference.path), ..difference });
    let mut differences: Vec<Difference> = in_pod.collect();
    differences.extend(files::differences(parts, wanted, &memory));
    differences.extend(in_account(found.account.as_ref(), &wanted.spec.service_account));
    differences
        .extend(others.map(|name| Difference::at(format!("the Secret {name}, changed since it was looked at first"))));
    if differences.is_empty() { Verdict::Keeps(woven.template) } else { Verdict::Ours(differences) }
}

/// Keeps what the plan has shown to be kept; where it could show nothing, what is found now.
pub(in super::super) fn settle(wanted: &mut Wanted, planned: Option<&Manifest>, prior: &Manifest, private: &Private) {
    let found = private.adoption.found.clone().zip(private.memory.clone());
    let Some((found, memory)) = found else { return };
    let key = wanted.deployment();
    match planned {
        Some(planned) => {
            let template = found.template_for(wanted.own_template(), &wanted.spec.names.full, &memory).template;
            let kept = wanted.shown_with(&template);
            if found.deployment == key && planned.get(&key) == Some(&kept) && wanted.manifest.get(&key) != Some(&kept) {
                wanted.keep(template);
            }
        }
        None => {
            if let Verdict::Keeps(template) = judge(wanted, prior, private) {
                wanted.keep(template);
            }
        }
    }
}

/// Has a release that was imported again keep what it kept before.
pub(in super::super) fn resume(wanted: &mut Wanted, private: &Private) {
    if let Some((found, memory)) = private.adoption.found.clone().zip(private.memory.clone())
        && found.stands_for.as_ref() == Some(&hash(wanted.own_template()))
    {
        let template = found.template_for(wanted.own_template(), &wanted.spec.names.full, &memory).template;
        wanted.keep(template);
    }
}

/// Remembers for what the template stands that is now applied; nothing, if ours is.
pub(in super::super) fn remember(wanted: &Wanted, private: &mut Private) {
    match private.adoption.found.clone() {
        Some(found) if wanted.keeps() => {
            let stands_for = Some(hash(wanted.own_template()));
            private.adoption.found = Some(Found { parts: None, stands_for, ..found });
        }
        _ => private.adoption.found = None,
    }
}

/// Whether an adoption is under way of which the pod was looked at.
pub(in super::super) fn is_adopting(private: &Private) -> bool {
    private.adoption.is_adopting && private.adoption.found.clone().is_some()
}

/// Tells our template from any other.
pub(in super::super) fn hash(template: &Json) -> String {
    let digest = Sha256::digest(text(template));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the token's Secret will be as the pods were started with; `None` while the token is unknown.
fn is_same_token(wanted: &Wanted, prior: &Manifest, memory: &Memory, outdated: &[String]) -> Option<bool> {
    let name = &wanted.spec.token.name;
    let key = live::secret(&wanted.spec.names.namespace, name).to_string();
    if !wanted.spec.token.owned || prior.get(&key) == wanted.manifest.get(&key) && !outdated.contains(name) {
        return Some(true);
    }
    let secret = serde_json::to_value(wanted.secret()?).unwrap_or_default();
    Some(memory.is_same_secret(name, Some(&secret)))
}

/// What Helm and we have written of a Deployment's template, as the cluster keeps it.
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

/// Jobs' namespace where the chart gives it to the registration instead of writing it into the configuration.
fn namespace_variable<'a>(template: &'a Json, manager: &str) -> Option<&'a str> {
    let containers = template.pointer("/spec/containers").and_then(Json::as_array)?;
    let container = containers.iter().find(|container| container["name"] == manager)?;
    let variable = container["env"].as_array()?.iter().find(|variable| variable["name"] == "KUBERNETES_NAMESPACE")?;
    variable["value"].as_str()
}

/// Annotations of the service account that the pod was made with.
fn account(objects: &[Json], template: &Json) -> Option<BTreeMap<String, String>> {
    let name = template.pointer("/spec/serviceAccountName")?;
    let is_its = |object: &&Json| object["kind"] == "ServiceAccount" && object["metadata"]["name"] == *name;
    let annotations = objects.iter().find(is_its)?["metadata"]["annotations"].as_object();
    let texts = annotations.into_iter().flatten();
    Some(texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect())
}

/// Those of ours that it had not, or with another value.
fn in_account(found: Option<&BTreeMap<String, String>>, own: &ServiceAccount) -> Option<Difference> {
    let found = found.filter(|_| own.create)?;
    let is_other = own.annotations.iter().any(|(name, value)| found.get(name) != Some(value));
    is_other.then(|| Difference::at("annotations of the service account"))
}

/// The Secrets that the manager's pod takes in when it starts.
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
