//! Reading back, also what an import names.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::KubernetesError;
use serde_json::Value as Json;
use tfplugin::framework::value::Map;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics, Read, Value};

use super::access_method::AccessMethod;
use super::access_method::Mode;
use super::error::Error;
use super::manifests::secret::Found as Secret;
use super::memory::{Beside, Memory};
use super::model::Desired;
use super::principal::Principal;
use super::private::Private;
use super::role_grant::annotations;
use super::schema::RunnerCredentials;
use super::{Session, access_key, bare, flatten, inline_policy, pod_identity, trust, unread};
use crate::unseen::Unseen;
use crate::{policy_document, whereabouts};

const AS_IT_WAS: &str = "The state was not changed.";

/// Turns `[CLUSTER/]NAMESPACE/SECRET:USER` or `[CLUSTER/]NAMESPACE/SERVICE_ACCOUNT:role/ROLE` into a state to read.
pub(super) fn parse(id: &str) -> Result<RunnerCredentials, Diagnostics> {
    let wrong = || {
        let detail = format!(
            "{id:?} is not of the form NAMESPACE/SECRET:USER, for instance \"gitlab-runner/gitlab-runner-s3-access:runner\", \
             nor NAMESPACE/SERVICE_ACCOUNT:role/ROLE. A cluster other than the provider's stands before it: \
             CLUSTER/NAMESPACE/SECRET:USER."
        );
        Diagnostics::from(Diagnostic::error("Invalid import ID", detail))
    };
    let (place, principal) = id.split_once(':').ok_or_else(wrong)?;
    let (cluster, namespace, object) = match place.split('/').collect::<Vec<_>>()[..] {
        [namespace, object] => (None, namespace, object),
        [cluster, namespace, object] => (Some(cluster), namespace, object),
        _ => return Err(wrong()),
    };
    let role = principal.strip_prefix("role/");
    let name = role.unwrap_or(principal);
    if [namespace, object, name].contains(&"") || name.contains(['/', ':']) {
        return Err(wrong());
    }
    let state = RunnerCredentials {
        name: name.into(),
        namespace: namespace.into(),
        cluster_name: cluster.map(str::to_owned).into(),
        create_namespace: false.into(),
        id: id.into(),
        ..RunnerCredentials::default()
    };
    Ok(if role.is_some() {
        let secret_name = "gitlab-runner-s3-access".into();
        RunnerCredentials { mode: "irsa".into(), service_account: object.into(), secret_name, ..state }
    } else {
        RunnerCredentials { mode: "access_key".into(), secret_name: object.into(), ..state }
    })
}

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<RunnerCredentials, Private>) -> Result<(), Error> {
        let desired = Desired::of(&operation.state);
        let principal = desired.mode.principal();
        let name = desired.settings.name.clone();
        let is_key = principal == Principal::User;
        // Boxed, like other calls here: side by side on the stack they would be too much for a thread of a test.
        let (found, policy, keys, secret) = tokio::join!(
            Box::pin(principal.read(self.iam, &name)),
            Box::pin(inline_policy::read(self.iam, principal, &name)),
            Box::pin(async { if is_key { access_key::list(self.iam, &name).await } else { Ok(Vec::new()) } }),
            Box::pin(async { if is_key { self.read_secret(&desired).await } else { Ok(None) } }),
        );
        let what = format!("the IAM {} {name}", principal.label());
        let mut unseen = Unseen::unless(operation.importing);
        let found = unseen.seen(&what, found).map_err(|error| unread(&what, error))?;
        let its_policy = format!("the policy of {what}");
        let policy = unseen.seen(&its_policy, policy).map_err(|error| unread(&its_policy, error));
        let its_keys = format!("the access keys of {what}");
        let keys = unseen.seen(&its_keys, keys).map_err(|error| unread(&its_keys, error));
        let secret = match secret {
            Err(Error::Kubernetes { source: KubernetesError::Forbidden { object, message }, .. })
                if !operation.importing =>
            {
                unseen.note(&object.to_string(), &message);
                Ok(None)
            }
            secret => secret,
        };
        let Some(found) = found else {
            operation.diagnostics.extend(unseen.warning("credentials"));
            return Ok(());
        };
        let Some(found) = found else {
            if operation.importing {
                return Err(Error::NothingToImport { principal, name });
            }
            let arn = operation.state.user_arn.as_str().or(operation.state.role_arn.as_str());
            let confirmed = whereabouts::confirm_gone(self.clients, arn).await;
            let left = String::new();
            confirmed.map_err(|source| Error::Client { source: source.into(), left })?;
            if fall_back(operation) {
                return Box::pin(self.read(operation)).await;
            }
            operation.gone();
            return Ok(());
        };
        let importing = operation.importing;
        // Of a create that was refused because others have a user or role of this name.
        let beside = Beside::of(&operation.state, &operation.private.memory);
        if !importing && !Box::pin(self.is_ours(&beside, &name)).await? {
            return Ok(());
        }
        let state = &mut operation.state;
        let mut memory = operation.private.memory.clone();
        flatten::principal(state, &found, importing.then_some(self.tags));
        let (tags, trusted) = (found.tags.clone(), found.trust.clone());
        if let Some(policy) = policy? {
            flatten::policy(state, policy.as_ref(), importing);
        }
        if is_key {
            state.user_arn = found.arn.into();
            let (keys, secret) = (keys?, secret?);
            let secret = secret.as_ref().map(Option::as_ref);
            let now = self.context.clock.time_of_day();
            flatten::key(state, &mut memory, keys.as_deref(), secret, importing, now);
            if importing {
                state.service_account_annotations = Value::Known(Map::new());
                state.create_namespace = self.made_namespace(&desired).await.into();
            }
        } else {
            self.read_role(state, &mut memory, &found, importing, &mut unseen).await?;
        }
        let warning = Box::pin(self.refresh_superseded(state, &mut memory, &tags)).await;
        operation.diagnostics.extend(warning);
        if !is_key {
            Box::pin(self.check_trust(state, &mut memory, trusted.as_ref(), &mut unseen)).await?;
        }
        operation.diagnostics.extend(unseen.warning("credentials"));
        operation.private.memory = memory;
        if importing {
            super::plan::identify(state);
        }
        Ok(())
    }

    /// `None` while the cluster cannot be asked because its settings are not known yet.
    async fn read_secret(&self, desired: &Desired) -> Result<Option<Option<Secret>>, Error> {
        let left = "The state was not changed.".to_owned();
        let client = match self.home.connect(self.clients, desired.cluster_name.as_deref()).await {
            Ok(client) => client,
            Err(ClientError::NotYetKnown { .. }) => return Ok(None),
            // Gone with its cluster.
            Err(ClientError::ClusterGone { .. }) => return Ok(Some(None)),
            Err(source) => return Err(Error::Client { source: source.into(), left }),
        };
        let read = desired.place.read(&client).await;
        read.map(Some).map_err(|source| Error::Kubernetes { doing: "Reading the Secret".to_owned(), source, left })
    }

    async fn made_namespace(&self, desired: &Desired) -> bool {
        match self.home.connect(self.clients, desired.cluster_name.as_deref()).await {
            Ok(client) => self.namespace(&client, desired).is_ours().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// A service account that no longer leads to the role by Pod Identity shows as none.
    async fn read_role(
        &self,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        found: &super::principal::Observed,
        importing: bool,
        unseen: &mut Unseen,
    ) -> Result<(), Error> {
        memory.is_imported |= importing;
        state.role_arn = found.arn.as_str().into();
        let trusted = found.trust.as_ref().and_then(trust::service_account);
        if importing && trusted.is_none() {
            state.mode = "pod_identity".into();
        }
        let desired = Desired::of(state);
        if desired.mode == Mode::PodIdentity && !desired.service_account.name.is_empty() {
            let subject = self.subject(&desired, AS_IT_WAS)?;
            let what = format!("the Pod Identity association of the service account {subject}");
            let association = unseen.seen(&what, pod_identity::read(self.eks, &subject).await);
            if let Some(association) = association.map_err(|error| unread("the Pod Identity association", error))? {
                memory.lost = match association {
                    Some(association) if association.role_arn == found.arn => None,
                    Some(other) => Some(format!(
                        "The Pod Identity association of the service account {subject} has a different role, {}",
                        other.role_arn
                    )),
                    None => Some(format!("The service account {subject} no longer has a Pod Identity association")),
                };
            }
            if memory.lost.is_some() {
                state.service_account = Value::Null;
            }
        } else {
            memory.lost = None;
        }
        if importing {
            state.service_account_annotations = annotations(desired.mode, &found.arn);
        }
        Ok(())
    }
}

/// User or role is gone, and another way is there still: that one is the way of the state then, so that it is not
/// forgotten.
fn fall_back(operation: &mut Read<RunnerCredentials, Private>) -> bool {
    let mut memory = operation.private.memory.clone();
    let gone = AccessMethod::of(&operation.state).principal();
    memory.beside.retain(|beside| beside.way.principal() != gone);
    let Some(beside) = memory.beside.pop() else { return false };
    let service_account = operation.state.service_account.clone();
    let mut state = bare(&beside.way.model(&operation.state));
    if beside.way.principal() == Principal::User {
        state.service_account = service_account;
    }
    beside.tell(&mut state, &mut memory);
    super::plan::identify(&mut state);
    operation.private.memory = memory;
    operation.state = state;
    true
}

impl Session<'_> {
    /// Whether the role is for those who it is to be for, and for nobody else.
    async fn check_trust(
        &self,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        found: Option<&Json>,
        unseen: &mut Unseen,
    ) -> Result<(), Error> {
        let beside = memory.beside.iter().map(|beside| beside.way.clone());
        let ways: Vec<AccessMethod> = std::iter::once(AccessMethod::of(state))
            .chain(beside)
            .filter(|way| way.principal() == Principal::Role)
            .collect();
        let right = match self.trust_of(state, &ways, AS_IT_WAS).await {
            Ok(right) => Some(right),
            // Without its cluster nobody can use the role, and without a name of it there is nothing to compare with.
            Err(Error::NoCluster { .. } | Error::NoIssuer { .. }) => None,
            Err(Error::Aws { doing, source, left }) => match *source {
                WaitError::Failed(error) if error.is_not_found() => None,
                WaitError::Failed(error) if unseen.has_refused("the OIDC issuer of the cluster", &error) => {
                    return Ok(());
                }
                source => return Err(Error::Aws { doing, source: Box::new(source), left }),
            },
            Err(error) => return Err(error),
        };
        memory.trust = None;
        let Some(right) = right else { return Ok(()) };
        let before = state.trust_policy_json.as_str().and_then(policy_document::parse);
        if before.as_ref().zip(found).is_none_or(|(before, found)| !policy_document::equivalent(before, found)) {
            state.trust_policy_json = found.map(policy_document::text).into();
        }
        if !found.is_some_and(|found| policy_document::equivalent(found, &right)) {
            memory.trust = Some(policy_document::text(&right));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let state = parse("ci/cache:runner").unwrap();
        assert_eq!(
            (state.mode, state.namespace, state.secret_name, state.name, state.cluster_name),
            ("access_key".into(), "ci".into(), "cache".into(), "runner".into(), Value::Null)
        );
        let state = parse("prod/ci/runner-sa:role/cache").unwrap();
        assert_eq!(
            (state.mode, state.service_account, state.name, state.cluster_name),
            ("irsa".into(), "runner-sa".into(), "cache".into(), "prod".into())
        );
        for wrong in ["", "ci/cache", "cache:runner", "ci/:runner", "ci/cache:", "a/b/c/d:e", "ci/cache:user/x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
