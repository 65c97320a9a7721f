//! The desired credentials, without unknown values.

use serde_json::Value as Json;
use tfplugin::framework::Value;
use tfplugin::framework::value::known_map;

use super::access_method::AccessMethod;
use super::import;
use super::manifests::secret::Place;
use super::policy::{Choice, Scope};
use super::principal::{Principal, Settings};
use super::schema::RunnerCredentials;
use super::trust::ServiceAccount;
use crate::policy_document;

/// The desired credentials, without unknown values.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    pub(super) method: AccessMethod,
    /// Settings of the principal. `trust` is not set, because the trust policy of a role is derived from all its
    /// grants.
    pub(super) settings: Settings,
    pub(super) policy: Json,
    pub(super) place: Place,
    pub(super) service_account: ServiceAccount,
    pub(super) cluster_name: Option<String>,
    pub(super) create_namespace: bool,
    pub(super) rotation_trigger: Value<String>,
}

impl Desired {
    /// Converts a plan or a state without unknown values, with this method instead of its own.
    pub(super) fn of(model: &RunnerCredentials, method: AccessMethod) -> Self {
        let plain = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
        let name = plain(&model.name);
        Self {
            settings: Settings {
                name: name.clone(),
                path: model.path.as_str().unwrap_or("/").to_owned(),
                boundary: model.permissions_boundary.known().cloned(),
                tags: known_map(&model.tags_all).unwrap_or_default(),
                trust: None,
                reclaim: None,
            },
            policy: model.policy_json.as_str().and_then(policy_document::parse).unwrap_or_default(),
            place: Place {
                namespace: plain(&model.namespace),
                name: plain(&model.secret_name),
                user: name,
                labels: known_map(&model.secret_labels).unwrap_or_default(),
                annotations: known_map(&model.secret_annotations).unwrap_or_default(),
            },
            service_account: ServiceAccount {
                namespace: plain(&model.namespace),
                name: method.service_account.clone(),
            },
            cluster_name: model.cluster_name.known().cloned(),
            create_namespace: model.create_namespace.or(false),
            rotation_trigger: model.rotation_trigger.clone(),
            method,
        }
    }

    /// Import ID of the credentials.
    pub(super) fn import_id(&self) -> String {
        let principal = self.method.principal();
        let object = match principal {
            Principal::User => &self.place.name,
            Principal::Role => &self.service_account.name,
        };
        import::id(self.cluster_name.as_deref(), (&self.place.namespace, object), (principal, &self.settings.name))
    }
}

/// Returns the policy document; `None` while one of its values is unknown.
pub(super) fn policy_of(model: &RunnerCredentials, partition: Option<&str>) -> Option<Json> {
    let choice = Choice::of(model.policy.as_str()?)?;
    if let Choice::Given(document) = choice {
        return Some(document);
    }
    if model.kms_key_arn.is_unknown() {
        return None;
    }
    Some(choice.document(&Scope {
        partition: partition?.to_owned(),
        bucket: model.bucket.as_str()?.to_owned(),
        cache_path: model.cache_path.as_str()?.to_owned(),
        kms_key_arn: model.kms_key_arn.known().cloned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_is_unknown_while_its_parts_are() {
        let model = RunnerCredentials {
            bucket: "ci-cache".into(),
            policy: "least_privilege".into(),
            cache_path: "".into(),
            ..RunnerCredentials::default()
        };
        assert!(policy_of(&model, Some("aws")).is_some());
        assert_eq!(policy_of(&model, None), None);
        assert_eq!(policy_of(&RunnerCredentials { bucket: Value::Unknown, ..model.clone() }, Some("aws")), None);
        assert_eq!(policy_of(&RunnerCredentials { kms_key_arn: Value::Unknown, ..model }, Some("aws")), None);
    }
}
