//! Access methods of the runner, and the pods that use them.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::Value;

use super::model::Desired;
use super::principal::Principal;
use super::schema::RunnerCredentials;

/// Environment variables that EKS adds to the containers of pods: the former for IRSA, the latter for Pod Identity.
const ROLE_VARIABLE: &str = "AWS_ROLE_ARN";
const POD_IDENTITY_VARIABLE: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// Mode of authentication of the runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[default]
    AccessKey,
    Irsa,
    PodIdentity,
}

impl Mode {
    pub(super) fn of(attribute: &Value<String>) -> Option<Self> {
        match attribute.as_str()? {
            "access_key" => Some(Self::AccessKey),
            "irsa" => Some(Self::Irsa),
            "pod_identity" => Some(Self::PodIdentity),
            _ => None,
        }
    }

    /// The value of the attribute `mode`.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::AccessKey => "access_key",
            Self::Irsa => "irsa",
            Self::PodIdentity => "pod_identity",
        }
    }

    pub(super) fn principal(self) -> Principal {
        match self {
            Self::AccessKey => Principal::User,
            Self::Irsa | Self::PodIdentity => Principal::Role,
        }
    }
}

/// An access key in the Secret, or a role with the binding of one service account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccessMethod {
    pub(super) mode: Mode,
    /// Empty in mode `access_key`, and if no service account is bound to the role.
    pub(super) service_account: String,
}

impl AccessMethod {
    /// Returns the method of a plan or a state without unknown values.
    pub(super) fn of(model: &RunnerCredentials) -> Self {
        let mode = Mode::of(&model.mode).unwrap_or(Mode::AccessKey);
        let service_account = match mode {
            Mode::AccessKey => "",
            Mode::Irsa | Mode::PodIdentity => model.service_account.as_str().unwrap_or_default(),
        };
        Self { mode, service_account: service_account.to_owned() }
    }

    /// Whether a change to `other` needs a new grant. Binding a service account to a role without one is a repair.
    pub(super) fn requires_switch_to(&self, other: &Self) -> bool {
        self.mode != other.mode || !self.service_account.is_empty() && self.service_account != other.service_account
    }

    pub(super) fn principal(&self) -> Principal {
        self.mode.principal()
    }

    /// The value of the tag that identifies the method.
    pub(super) fn mark(&self) -> String {
        format!("{} {}", self.mode.text(), self.service_account).trim_end().to_owned()
    }

    pub(super) fn from_mark(text: &str) -> Option<Self> {
        let (mode, service_account) = text.split_once(' ').unwrap_or((text, ""));
        Some(Self { mode: Mode::of(&mode.into())?, service_account: service_account.to_owned() })
    }

    /// Description for users.
    pub(super) fn describe(&self, state: &RunnerCredentials) -> String {
        let desired = Desired::of(state, self.clone());
        let (name, namespace) = (&desired.settings.name, &desired.place.namespace);
        let through = match self.mode {
            Mode::AccessKey => {
                return format!("IAM user {name} with its access key in the Secret {namespace}/{}", desired.place.name);
            }
            Mode::Irsa => "IRSA",
            Mode::PodIdentity => "EKS Pod Identity",
        };
        format!("IAM role {name} for the service account {namespace}/{} through {through}", self.service_account)
    }

    /// Names of the pods of the namespace that use the method. Pods that have terminated do not use it.
    pub(super) fn users(&self, state: &RunnerCredentials, pods: &[Json]) -> Vec<String> {
        let desired = Desired::of(state, self.clone());
        let role = desired.settings.end_of_role_arn();
        let uses = |pod: &&Json| {
            let phase = pod["status"]["phase"].as_str().unwrap_or_default();
            if ["Succeeded", "Failed"].contains(&phase) {
                return false;
            }
            let is_of_account = || pod["spec"]["serviceAccountName"] == self.service_account.as_str();
            match self.mode {
                Mode::AccessKey => mentions(&pod["spec"], &desired.place.name),
                Mode::Irsa => is_of_account() && has_variable(pod, ROLE_VARIABLE, |value| value.ends_with(&role)),
                Mode::PodIdentity => is_of_account() && has_variable(pod, POD_IDENTITY_VARIABLE, |_| true),
            }
        };
        pods.iter().filter(uses).filter_map(|pod| pod["metadata"]["name"].as_str()).map(str::to_owned).collect()
    }
}

/// Returns containers, init containers and ephemeral containers.
fn containers(spec: &Json) -> impl Iterator<Item = &Json> {
    let kinds = ["containers", "initContainers", "ephemeralContainers"];
    kinds.into_iter().flat_map(|kind| spec[kind].as_array().into_iter().flatten())
}

fn elements<'a>(object: &'a Json, list: &str) -> impl Iterator<Item = &'a Json> + use<'a> {
    object[list].as_array().into_iter().flatten()
}

fn has_variable(pod: &Json, name: &str, fits: impl Fn(&str) -> bool) -> bool {
    let mut variables = containers(&pod["spec"]).flat_map(|container| elements(container, "env"));
    variables.any(|variable| variable["name"] == name && fits(variable["value"].as_str().unwrap_or_default()))
}

/// Whether a pod uses the Secret, as a volume or for environment variables.
fn mentions(spec: &Json, secret: &str) -> bool {
    let in_volume = |volume: &Json| {
        volume["secret"]["secretName"] == secret
            || elements(&volume["projected"], "sources").any(|source| source["secret"]["name"] == secret)
    };
    let in_container = |container: &Json| {
        elements(container, "env").any(|variable| variable["valueFrom"]["secretKeyRef"]["name"] == secret)
            || elements(container, "envFrom").any(|source| source["secretRef"]["name"] == secret)
    };
    elements(spec, "volumes").any(in_volume) || containers(spec).any(in_container)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> RunnerCredentials {
        RunnerCredentials {
            name: "cache".into(),
            path: "/ci/".into(),
            namespace: "ns".into(),
            secret_name: "key".into(),
            ..RunnerCredentials::default()
        }
    }

    fn method(mode: Mode) -> AccessMethod {
        let service_account = if mode == Mode::AccessKey { "" } else { "runner" };
        AccessMethod { mode, service_account: service_account.to_owned() }
    }

    fn uses(mode: Mode, spec: Json) -> bool {
        let pod = json!({ "metadata": { "name": "p" }, "spec": spec });
        !method(mode).users(&state(), &[pod]).is_empty()
    }

    #[test]
    fn pods_that_use_the_key() {
        let users = [
            json!({ "volumes": [{ "secret": { "secretName": "key" } }] }),
            json!({ "volumes": [{}, { "projected": { "sources": [{ "configMap": {} }, { "secret": { "name": "key" } }] } }] }),
            json!({ "containers": [{ "env": [{ "valueFrom": { "secretKeyRef": { "name": "key" } } }] }] }),
            json!({ "initContainers": [{ "envFrom": [{ "secretRef": { "name": "key" } }] }] }),
        ];
        for spec in users {
            assert!(uses(Mode::AccessKey, spec.clone()), "{spec}");
            let other = serde_json::from_str(&spec.to_string().replace("\"key\"", "\"other\"")).unwrap();
            assert!(!uses(Mode::AccessKey, other), "{spec}");
        }
    }

    #[test]
    fn pods_that_use_the_role() {
        let pod = |account: &str, name: &str, value: &str| {
            let container = json!({ "env": [{ "name": name, "value": value }] });
            json!({ "serviceAccountName": account, "containers": [{}, container] })
        };
        let arn = "arn:aws:iam::123456789012:role/ci/cache";
        assert!(uses(Mode::Irsa, pod("runner", ROLE_VARIABLE, arn)));
        assert!(!uses(Mode::Irsa, pod("other", ROLE_VARIABLE, arn)));
        assert!(!uses(Mode::Irsa, pod("runner", ROLE_VARIABLE, "arn:aws:iam::123456789012:role/other")));
        assert!(!uses(Mode::Irsa, pod("runner", POD_IDENTITY_VARIABLE, "http://169.254.170.23/v1/credentials")));
        assert!(uses(Mode::PodIdentity, pod("runner", POD_IDENTITY_VARIABLE, "http://169.254.170.23/v1/credentials")));
        assert!(!uses(Mode::PodIdentity, pod("runner", ROLE_VARIABLE, arn)));
    }

    #[test]
    fn completed_pods_use_no_key() {
        let pod = |phase: &str| {
            let spec = json!({ "volumes": [{ "secret": { "secretName": "key" } }] });
            json!({ "metadata": { "name": phase }, "spec": spec, "status": { "phase": phase } })
        };
        let pods: Vec<Json> = ["Pending", "Running", "Unknown", "Succeeded", "Failed"].map(pod).into();
        assert_eq!(method(Mode::AccessKey).users(&state(), &pods), ["Pending", "Running", "Unknown"]);
    }

    #[test]
    fn marks() {
        for mode in [Mode::AccessKey, Mode::Irsa, Mode::PodIdentity] {
            assert_eq!(AccessMethod::from_mark(&method(mode).mark()), Some(method(mode)));
        }
        assert_eq!(AccessMethod::from_mark("irsa2 x"), None);
        let unbound = AccessMethod { service_account: String::new(), ..method(Mode::Irsa) };
        assert!(
            !unbound.requires_switch_to(&method(Mode::Irsa)) && unbound.requires_switch_to(&method(Mode::PodIdentity))
        );
    }
}
