//! Modes `irsa` and `pod_identity`: a role with a policy, for one service account.

use gitlabspot_clients::aws::AwsError;
use serde_json::Value as Json;
use tfplugin::framework::value::Map;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Value};

use super::access_method::AccessMethod;
use super::access_method::Mode;
use super::error::Error;
use super::key_grant::{IN_STATE, NOTHING, aws};
use super::memory::{Book, Memory};
use super::model::Desired;
use super::pod_identity::{self, Subject};
use super::principal::Principal;
use super::schema::RunnerCredentials;
use super::{Session, iam_role, trust};
use crate::partition;
use crate::policy_document::{parse, text};

/// What EKS looks for on a service account.
pub(super) const ANNOTATION: &str = "eks.amazonaws.com/role-arn";

impl Session<'_> {
    /// Role, policy, and what leads the service account to the role. Whom it is for already stays.
    pub(super) async fn grant_role(
        &self,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        let mut desired = desired.clone();
        self.check_association(&desired).await?;
        let mut ways = vec![AccessMethod::of(state)];
        ways.extend(desired.beside.iter().filter(|way| way.principal() == Principal::Role).cloned());
        let trust = self.trust_of(state, &ways, NOTHING).await?;
        state.trust_policy_json = text(&trust).into();
        desired.settings.trust = Some(trust);
        Box::pin(self.grant_principal(Principal::Role, &desired, state, memory, book)).await?;
        self.bind_service_account(&desired, state).await?;
        book.write(state, memory);
        self.check_provider(&desired).await
    }

    /// The way from the service account to a role that is there.
    pub(super) async fn bind_service_account(
        &self,
        desired: &Desired,
        state: &mut RunnerCredentials,
    ) -> Result<(), Error> {
        let role_arn = state.role_arn.as_str().unwrap_or_default().to_owned();
        state.service_account_annotations = annotations(desired.mode, &role_arn);
        if desired.mode == Mode::PodIdentity {
            let subject = self.subject(desired, IN_STATE)?;
            let ensured =
                pod_identity::ensure(self.context, self.eks, &subject, &role_arn, &desired.settings.tags).await;
            ensured.map_err(|failure| match failure {
                pod_identity::Failure::Exists(found) => association_exists(&subject, &found, desired, IN_STATE),
                pod_identity::Failure::Call(source) => {
                    aws("Associating the service account with the role", source, IN_STATE)
                }
            })?;
        }
        Ok(())
    }

    /// Refuses an association that others made for the service account, also one with a role of the same name: a service
    /// account has only one, and to delete ours would be to delete theirs.
    async fn check_association(&self, desired: &Desired) -> Result<(), Error> {
        if desired.mode != Mode::PodIdentity {
            return Ok(());
        }
        let subject = self.subject(desired, NOTHING)?;
        let found = pod_identity::read(self.eks, &subject).await;
        let doing = format!("Looking for the Pod Identity association of the service account {subject}");
        let found = found.map_err(|error| aws(doing, WaitError::Failed(error), NOTHING))?;
        let Some(found) = found else { return Ok(()) };
        let role = desired.settings.end_of_role_arn();
        let leads_to_ours = desired.settings.reclaim.is_some() && found.role_arn.ends_with(&role);
        if leads_to_ours || found.owner.as_ref().is_some_and(|owner| owner.ends_with(&role)) {
            return Ok(());
        }
        Err(association_exists(&subject, &found, desired, NOTHING))
    }

    /// In place: what was found wrong with the way to the role.
    pub(super) async fn mend_role(
        &self,
        prior: &RunnerCredentials,
        planned: &RunnerCredentials,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        let desired = Desired::of(planned);
        if prior.trust_policy_json != planned.trust_policy_json
            && let Some(trust) = planned.trust_policy_json.as_str().and_then(parse)
        {
            self.set_trust(&desired, &trust).await?;
            state.trust_policy_json = planned.trust_policy_json.clone();
            memory.trust = None;
            book.write(state, memory);
            self.check_provider(&desired).await?;
        }
        if prior.service_account != planned.service_account {
            self.bind_service_account(&desired, state).await?;
            state.service_account = planned.service_account.clone();
            memory.lost = None;
            book.write(state, memory);
        }
        Ok(())
    }

    pub(super) async fn set_trust(&self, desired: &Desired, trust: &Json) -> Result<(), Error> {
        let set = iam_role::set_trust(self.iam, &desired.settings.name, trust).await;
        set.map_err(|error| aws("Changing who may use the role", WaitError::Failed(error), IN_STATE))
    }

    /// Removes the association, the policy and the role.
    pub(super) async fn revoke_role(&self, desired: &Desired, state: &mut RunnerCredentials) -> Result<(), Error> {
        self.unbind_service_account(desired, state).await?;
        Box::pin(self.revoke_principal(Principal::Role, &desired.settings.name, &[])).await?;
        state.role_arn = Value::Null;
        state.service_account_annotations = Value::Known(Map::new());
        Ok(())
    }

    /// Removes the association that leads to the role, if the mode has one.
    pub(super) async fn unbind_service_account(
        &self,
        desired: &Desired,
        state: &RunnerCredentials,
    ) -> Result<(), Error> {
        // Without a service account in the state the association is gone already.
        if desired.mode != Mode::PodIdentity || desired.service_account.name.is_empty() {
            return Ok(());
        }
        let subject = self.subject(desired, IN_STATE)?;
        let role_arn = state.role_arn.as_str().unwrap_or_default();
        let deleted = pod_identity::delete(self.eks, &subject, role_arn).await;
        deleted.map_err(|e| aws("Deleting the Pod Identity association", WaitError::Failed(e), IN_STATE))
    }

    /// Which service account of which cluster.
    pub(super) fn subject(&self, desired: &Desired, left: &str) -> Result<Subject, Error> {
        let cluster = desired.cluster_name.as_deref().or(self.clients.cluster_name());
        Ok(Subject {
            cluster: cluster.ok_or_else(|| Error::NoCluster { left: left.to_owned() })?.to_owned(),
            namespace: desired.service_account.namespace.clone(),
            service_account: desired.service_account.name.clone(),
        })
    }

    pub(super) async fn trust(&self, desired: &Desired, left: &str) -> Result<Json, Error> {
        if desired.mode == Mode::PodIdentity {
            return Ok(trust::pod_identity());
        }
        if desired.service_account.name.is_empty() {
            return Ok(trust::all(&[]));
        }
        let issuer = self.issuer(desired, left).await?;
        let account = self.account_id(left).await?;
        Ok(trust::irsa(partition::name(self.region), account, issuer, &desired.service_account))
    }

    async fn account_id(&self, left: &str) -> Result<&str, Error> {
        let account = self.clients.account_id().await;
        account.map_err(|source| Error::Client { source: source.into(), left: left.to_owned() })
    }

    /// The cluster's OIDC issuer.
    async fn issuer(&self, desired: &Desired, left: &str) -> Result<&str, Error> {
        self.issuer.get_or_try_init(|| Box::pin(self.ask_for_issuer(desired, left))).await.map(String::as_str)
    }

    async fn ask_for_issuer(&self, desired: &Desired, left: &str) -> Result<String, Error> {
        let Subject { cluster, .. } = self.subject(desired, left)?;
        let described =
            self.eks.describe_cluster().name(&cluster).send().await.map_err(AwsError::of("DescribeCluster"));
        let described = described
            .map_err(|e| aws(format!("Looking at the EKS cluster {cluster}"), WaitError::Failed(e), left))?
            .cluster;
        let issuer = described.and_then(|cluster| cluster.identity?.oidc?.issuer);
        issuer.ok_or_else(|| Error::NoIssuer { cluster, left: left.to_owned() })
    }

    /// Warns when the account does not know the cluster's issuer: IAM takes the role nevertheless, and only the runner
    /// would find out.
    async fn check_provider(&self, desired: &Desired) -> Result<(), Error> {
        if desired.mode != Mode::Irsa {
            return Ok(());
        }
        let (issuer, account) = (self.issuer(desired, IN_STATE).await?, self.account_id(IN_STATE).await?);
        let arn = trust::oidc_provider(partition::name(self.region), account, issuer);
        let request = self.iam.get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
        let missing = match request.send().await.map_err(AwsError::of("GetOpenIDConnectProvider")) {
            Ok(found) if found.client_id_list().iter().any(|audience| audience == trust::AUDIENCE) => return Ok(()),
            Ok(_) => format!("The IAM identity provider {arn} does not have the audience {}: add it.", trust::AUDIENCE),
            Err(error) if error.is_not_found() => format!(
                "The AWS account {account} does not have an IAM identity provider for the issuer of the cluster, \
                 {issuer}. Create it with the audience {}, for example with the resource \
                 aws_iam_openid_connect_provider or with \"eksctl utils associate-iam-oidc-provider --approve\".",
                trust::AUDIENCE
            ),
            // Whoever may not look is not told; the role is as it should be.
            Err(error) => {
                tracing::warn!(%error, "the account's identity provider cannot be looked at");
                return Ok(());
            }
        };
        let text = format!("{missing} Until then, pods cannot use the role {}.", desired.settings.name);
        self.warn(Diagnostic::warning("No identity provider for the cluster", text));
        Ok(())
    }
}

/// What the service account needs to lead to the role.
pub(super) fn annotations(mode: Mode, role_arn: &str) -> Value<Map<String>> {
    Value::Known(match mode {
        Mode::Irsa => Map::from([(ANNOTATION.to_owned(), role_arn.into())]),
        Mode::PodIdentity | Mode::AccessKey => Map::new(),
    })
}

fn association_exists(subject: &Subject, found: &pod_identity::Found, desired: &Desired, left: &str) -> Error {
    let role = iam_role::name_of(&found.role_arn);
    let cluster = desired.cluster_name.as_ref().map(|cluster| format!("{cluster}/")).unwrap_or_default();
    Error::AssociationExists {
        service_account: subject.to_string(),
        role_arn: found.role_arn.clone(),
        id: format!("{cluster}{subject}:role/{role}"),
        left: left.to_owned(),
    }
}
