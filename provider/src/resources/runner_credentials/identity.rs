//! The identity of credentials: the user or role, and the Secret or service account in the cluster.

use tfplugin::framework::{Context, Diagnostic, Diagnostics, Import, Object, Value};

use super::access_method::Mode;
use super::import;
use super::model::Desired;
use super::principal::Principal;
use super::private::Private;
use super::schema::RunnerCredentials;
use crate::cluster::Eks;
use crate::configured::Data;
use crate::{identity, location};

/// Identity of credentials.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Identity {
    /// Name of the user or role.
    #[attr(required)]
    pub name: Value<String>,
    /// Namespace of the runner's manager.
    #[attr(required)]
    pub namespace: Value<String>,
    /// Name of the Secret with the key of a user. Required unless `service_account` is set.
    #[attr(optional)]
    pub secret_name: Value<String>,
    /// Name of the service account that uses a role. Required unless `secret_name` is set.
    #[attr(optional)]
    pub service_account: Value<String>,
    /// Name of the EKS cluster. Defaults to the cluster of the provider's `kubernetes` settings.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Region of the EKS cluster. Defaults to the region of the provider.
    #[attr(optional)]
    pub region: Value<String>,
    /// ID of the AWS account of the IAM user or role. Defaults to the account of the provider.
    #[attr(optional)]
    pub account_id: Value<String>,
}

impl Identity {
    /// Returns the identity of a state; `None` until its user or role exists.
    pub(super) fn of(state: &RunnerCredentials, private: &Private) -> Option<Self> {
        let is_key = state.mode.as_str()? == "access_key";
        let arn = if is_key { &state.user_arn } else { &state.role_arn };
        let (_, account) = location::of_arn(arn.as_str()?)?;
        let cluster = Eks::of(private.cluster.as_ref());
        let only_if = |applies: bool, value: &Value<String>| if applies { value.clone() } else { Value::Null };
        Some(Self {
            name: state.name.clone(),
            namespace: state.namespace.clone(),
            secret_name: only_if(is_key, &state.secret_name),
            service_account: only_if(!is_key, &state.service_account),
            cluster_name: if cluster.cluster_name.is_null() {
                state.cluster_name.clone()
            } else {
                cluster.cluster_name
            },
            region: cluster.region,
            account_id: account.into(),
        })
    }

    /// Returns the import ID of the identity; `None` unless exactly one of `secret_name` and `service_account` is set.
    fn id(&self, cluster_name: &Value<String>) -> Option<String> {
        let (name, namespace) = (self.name.as_str().unwrap_or_default(), self.namespace.as_str().unwrap_or_default());
        let (object, principal) = match (self.secret_name.as_str(), self.service_account.as_str()) {
            (Some(secret), None) => (secret, Principal::User),
            (None, Some(service_account)) => (service_account, Principal::Role),
            _ => return None,
        };
        Some(import::id(cluster_name.as_str(), (namespace, object), (principal, name)))
    }
}

/// Returns the attributes that the following read needs.
pub(super) async fn import(context: &Context<Data>, from: Import<Identity>) -> Result<RunnerCredentials, Diagnostics> {
    let identity = match from {
        Import::Id(id) => return import::parse(&id),
        Import::Identity(identity) => identity,
    };
    let clients = &context.data()?.clients;
    location::check(clients, &identity.region, &identity.account_id).await?;
    let id = identity.id(&identity::beside_own(clients, &identity.cluster_name)).ok_or_else(|| {
        let text = "Exactly one of secret_name (for the access key of a user) and service_account (for a role) must be \
            set.";
        Diagnostic::error("Invalid identity", text)
    })?;
    import::parse(&id)
}

/// Names of the objects that only one operation of a run may change at a time.
pub(super) fn reserved_names(desired: &Desired) -> Vec<String> {
    let mut names = vec![format!("The IAM {} {}", desired.method.principal().label(), desired.settings.name)];
    // Two resources with the same Secret would overwrite each other's key.
    if desired.method.mode == Mode::AccessKey {
        let cluster = desired.cluster_name.as_deref().map(|cluster| format!(" in {cluster}")).unwrap_or_default();
        names.push(format!("The Secret {}/{}{cluster}", desired.place.namespace, desired.place.name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(mode: &str) -> RunnerCredentials {
        RunnerCredentials {
            mode: mode.into(),
            name: "cache".into(),
            namespace: "ci".into(),
            secret_name: "keys".into(),
            service_account: "runner".into(),
            user_arn: "arn:aws:iam::123456789012:user/cache".into(),
            role_arn: "arn:aws:iam::123456789012:role/cache".into(),
            ..RunnerCredentials::default()
        }
    }

    #[test]
    fn an_identity_is_an_id() {
        let private = Private::default();
        let id = |mode: &str, cluster: Value<String>| Identity::of(&state(mode), &private).unwrap().id(&cluster);
        assert_eq!(id("access_key", Value::Null).as_deref(), Some("ci/keys:cache"));
        assert_eq!(id("irsa", "prod".into()).as_deref(), Some("prod/ci/runner:role/cache"));
        assert_eq!(Identity::default().id(&Value::Null), None);
        let new = RunnerCredentials { user_arn: Value::Unknown, ..state("access_key") };
        assert_eq!(Identity::of(&new, &private), None);
    }
}
