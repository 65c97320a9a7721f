//! Reads the credentials, for a refresh or an import.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use serde_json::Value as Json;
use tfplugin::framework::Read;
use tfplugin::framework::wait::WaitError;

use super::access_method::{AccessMethod, Mode};
use super::error::{During, Failure, Fault, IamObject, Remains, Result, Step};
use super::flatten::ObservedKey;
use super::journal::{Grant, Journal};
use super::manifests::secret::Found as Secret;
use super::model::Desired;
use super::principal::Principal;
use super::private::Private;
use super::schema::RunnerCredentials;
use super::{Session, access_key, flatten, inline_policy, partial, plan, pod_identity, trust};
use crate::denied_reads::DeniedReads;
use crate::steps::Fault as _;
use crate::{location, policy_document};

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<RunnerCredentials, Private>) -> Result<()> {
        loop {
            let journal = operation.private.journal.clone().or_of(&operation.state);
            if self.read_grant(operation, journal).await? {
                return Ok(());
            }
            // IAM also reports a principal of another account as missing.
            let arn = operation.state.user_arn.as_str().or(operation.state.role_arn.as_str());
            let confirmed = location::confirm_deleted(self.clients, arn).await;
            confirmed.map_err(Fault::Client)?;
            if !fall_back(operation) {
                operation.gone();
                return Ok(());
            }
        }
    }

    /// Reads the current grant and the superseded ones. Returns false if the principal of the current one does not
    /// exist.
    async fn read_grant(&self, operation: &mut Read<RunnerCredentials, Private>, mut journal: Journal) -> Result<bool> {
        let importing = operation.importing;
        let desired = Desired::of(&operation.state, journal.current.clone());
        let (principal, name) = (desired.method.principal(), &desired.settings.name);
        let is_key = principal == Principal::User;
        let (found, policy, keys, secret) = tokio::join!(
            principal.read(&self.iam, name),
            inline_policy::read(&self.iam, principal, name),
            async { if is_key { access_key::list(&self.iam, name).await } else { Ok(Vec::new()) } },
            async { if is_key { self.read_secret(&desired).await } else { Ok(None) } },
        );
        let mut denied = DeniedReads::unless(importing);
        let found = or_none(&mut denied, IamObject::Principal(principal.id(name)), found)?;
        let policy = or_none(&mut denied, IamObject::Policy(principal.id(name)), policy);
        let keys = or_none(&mut denied, IamObject::Keys(principal.id(name)), keys);
        let secret = if importing { secret } else { readable_secret(&mut denied, secret) };
        let Some(found) = found else {
            operation.diagnostics.extend(denied.warning("credentials"));
            return Ok(true);
        };
        let Some(found) = found else {
            let nothing = Fault::NothingToImport { principal, name: name.clone() };
            return if importing { Err(nothing.into()) } else { Ok(false) };
        };
        // A create that failed because others have a principal of this name may have recorded a state. That principal
        // is not read into it.
        if !importing && !self.is_managed(&journal.current(), name).await? {
            return Ok(true);
        }
        let state = &mut operation.state;
        flatten::principal(state, &found, importing.then_some(self.tags));
        if let Some(policy) = policy? {
            flatten::policy(state, policy.as_ref(), importing);
        }
        journal.is_imported |= importing;
        let mut grant = Grant { arn: Some(found.arn.clone()), ..journal.current() };
        if is_key {
            let (keys, secret) = (keys?, secret?);
            let now = self.context.clock.time_of_day();
            let observed = ObservedKey { keys: keys.as_deref(), secret: secret.as_ref().map(Option::as_ref), now };
            journal.findings.rotation = flatten::key(state, &mut grant, observed, importing);
            if importing {
                state.create_namespace = self.created_namespace(&desired).await.into();
            }
        } else if importing && found.trust.as_ref().and_then(trust::service_account).is_none() {
            // The import ID does not contain the mode, and only a trust policy for IRSA contains a service account.
            journal.rename_current(AccessMethod { mode: Mode::PodIdentity, ..grant.method });
            grant.method = journal.current.clone();
        }
        journal.put(grant);
        self.read_binding(state, &mut journal, &mut denied).await?;
        let warning = self.refresh_superseded(state, &mut journal, &found.tags).await;
        operation.diagnostics.extend(warning);
        if !is_key {
            self.check_trust(state, &mut journal, found.trust.as_ref(), &mut denied).await?;
        }
        operation.diagnostics.extend(denied.warning("credentials"));
        journal.view(state);
        operation.private.journal = journal;
        if importing {
            plan::identify(state);
        }
        Ok(true)
    }

    /// Reads the Secret. The outer `None` means that the settings of the cluster are not known yet.
    async fn read_secret(&self, desired: &Desired) -> Result<Option<Option<Secret>>> {
        match self.connect_to(desired).await {
            Ok(client) => desired.place.read(&client).await.map(Some).during(Step::ReadSecret, Remains::State),
            Err(ClientError::NotYetKnown { .. }) => Ok(None),
            // The Secret was deleted with its cluster.
            Err(ClientError::ClusterGone { .. }) => Ok(Some(None)),
            Err(source) => Err(Fault::Client(source).leaving(Remains::State)),
        }
    }

    async fn created_namespace(&self, desired: &Desired) -> bool {
        match self.connect_to(desired).await {
            Ok(client) => self.namespace(&client, desired).is_created_here().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Checks whether the service account is still bound to the role with Pod Identity.
    async fn read_binding(
        &self,
        state: &RunnerCredentials,
        journal: &mut Journal,
        denied: &mut DeniedReads,
    ) -> Result<()> {
        let Grant { method, arn, .. } = journal.current();
        let desired = Desired::of(state, method);
        if desired.method.mode != Mode::PodIdentity || desired.service_account.name.is_empty() {
            journal.findings.unbound = None;
            return Ok(());
        }
        let subject = self.subject(&desired, Remains::State)?;
        let what = format!("the Pod Identity association of the service account {subject}");
        let found = denied.or_none(&what, pod_identity::read(self.eks, &subject).await);
        let Some(found) = found.during(Step::ReadAssociation, Remains::State)? else { return Ok(()) };
        journal.findings.unbound = match found {
            Some(found) if Some(&found.role_arn) == arn.as_ref() => None,
            Some(found) => Some(format!(
                "The Pod Identity association of the service account {subject} has a different role: {}",
                found.role_arn
            )),
            None => Some(format!("The service account {subject} no longer has a Pod Identity association")),
        };
        Ok(())
    }

    /// Checks whether the trust policy of the role is the one that its grants require.
    async fn check_trust(
        &self,
        state: &mut RunnerCredentials,
        journal: &mut Journal,
        found: Option<&Json>,
        denied: &mut DeniedReads,
    ) -> Result<()> {
        let methods = journal.role_methods(None);
        let desired = match self.trust_of(state, &methods, Remains::State).await {
            Ok(trust) => Some(trust),
            Err(error) => match &*error.fault {
                // Without the name of the cluster or its OIDC issuer the desired trust policy is unknown, and no pod of
                // a deleted cluster can use the role. Nothing is compared then.
                Fault::NoCluster | Fault::NoIssuer(_) => None,
                Fault::Step { failure: Failure::Aws(WaitError::Failed(source)), .. } if source.is_not_found() => None,
                Fault::Step { failure: Failure::Aws(WaitError::Failed(source)), .. }
                    if denied.is_denied("the OIDC issuer of the cluster", source) =>
                {
                    return Ok(());
                }
                _ => return Err(error),
            },
        };
        journal.findings.trust = None;
        let Some(desired) = desired else { return Ok(()) };
        let before = state.trust_policy_json.as_str().and_then(policy_document::parse);
        if before.as_ref().zip(found).is_none_or(|(before, found)| !policy_document::equivalent(before, found)) {
            state.trust_policy_json = found.map(policy_document::text).into();
        }
        if !found.is_some_and(|found| policy_document::equivalent(found, &desired)) {
            journal.findings.trust = Some(policy_document::text(&desired));
        }
        Ok(())
    }
}

/// Returns the response of AWS. If the identity is not allowed to make the call, notes that in `denied` and returns
/// `None`.
fn or_none<T>(
    denied: &mut DeniedReads,
    object: IamObject,
    answer: std::result::Result<T, AwsError>,
) -> Result<Option<T>> {
    denied.or_none(&object.to_string(), answer).during(Step::Read(object), Remains::State)
}

/// Returns the Secret. If the API server denies the read, notes that in `denied` and returns `None`.
fn readable_secret<T>(denied: &mut DeniedReads, secret: Result<Option<T>>) -> Result<Option<T>> {
    let error = match secret {
        Err(error) => error,
        secret => return secret,
    };
    match *error.fault {
        Fault::Step {
            failure: Failure::Kubernetes(WaitError::Failed(KubernetesError::Forbidden { object, message })),
            ..
        } => {
            denied.note(&object.to_string(), &message);
            Ok(None)
        }
        fault => Err(fault.leaving(error.remains)),
    }
}

/// Removes the grants of the current principal, which was deleted. The newest remaining grant becomes the current one,
/// so that the resource still manages it. Returns false if no grant remains.
fn fall_back(operation: &mut Read<RunnerCredentials, Private>) -> bool {
    let journal = &mut operation.private.journal;
    let gone = journal.current.principal();
    journal.grants.retain(|grant| grant.method.principal() != gone);
    let Some(last) = journal.grants.last() else { return false };
    journal.current = last.method.clone();
    operation.state = partial::granting(&operation.state);
    if let Some(key) = &last.key {
        operation.state.rotation_trigger = key.rotation_trigger.clone().into();
    }
    journal.view(&mut operation.state);
    plan::identify(&mut operation.state);
    true
}
