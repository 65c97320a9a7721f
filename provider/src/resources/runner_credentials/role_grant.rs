//! Modes `irsa` and `pod_identity`: a role with a policy, for one service account.

use gitlabspot_clients::aws::AwsError;
use serde_json::Value as Json;
use tfplugin::framework::Diagnostic;

use super::access_method::{AccessMethod, Mode};
use super::error::{During, Fault, Remains, Result, Step};
use super::journal::Grant;
use super::model::Desired;
use super::pod_identity::{self, Failure, Subject};
use super::principal::Principal;
use super::recorder::Recorder;
use super::schema::RunnerCredentials;
use super::{Session, import, trust};
use crate::iam::role;
use crate::partition;
use crate::policy_document::{parse, text};
use crate::steps::Fault as _;

impl Session<'_> {
    /// Creates the role, its policy, and the binding of the service account. Other grants to the role are preserved.
    pub(super) async fn grant_role(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        self.check_association(desired).await?;
        let mut methods = recorder.journal.role_methods(Some(&desired.method));
        methods.insert(0, desired.method.clone());
        let trust = self.trust_of(&recorder.state, &methods, Remains::Nothing).await?;
        recorder.state.trust_policy_json = text(&trust).into();
        let mut desired = desired.clone();
        desired.settings.trust = Some(trust);
        self.grant_principal(recorder, &desired).await?;
        self.bind_service_account(&recorder.grant, &desired).await?;
        recorder.record();
        self.check_provider(recorder, &desired).await
    }

    /// Binds the service account to a role that exists. IRSA needs no call, because the trust policy is the binding.
    async fn bind_service_account(&self, grant: &Grant, desired: &Desired) -> Result<()> {
        if desired.method.mode != Mode::PodIdentity {
            return Ok(());
        }
        let subject = self.subject(desired, Remains::Recorded)?;
        let role_arn = grant.arn.as_deref().unwrap_or_default();
        match pod_identity::ensure(self.context, self.eks, &subject, (role_arn, &desired.settings.tags)).await {
            Ok(()) => Ok(()),
            Err(Failure::Exists(observed)) => {
                Err(association_exists(&subject, observed, desired).leaving(Remains::Recorded))
            }
            Err(Failure::Call(source)) => Err(source).during(Step::Associate, Remains::Recorded),
        }
    }

    /// Returns an error if others created an association for the service account, even one with a role of the same
    /// name. A service account has at most one association, so that a destroy of this resource would delete theirs.
    async fn check_association(&self, desired: &Desired) -> Result<()> {
        if desired.method.mode != Mode::PodIdentity {
            return Ok(());
        }
        let subject = self.subject(desired, Remains::Nothing)?;
        let observed = pod_identity::read(self.eks, &subject).await;
        let observed = observed.during(Step::FindAssociation(subject.clone()), Remains::Nothing)?;
        let Some(observed) = observed else { return Ok(()) };
        let role = desired.settings.end_of_role_arn();
        let has_role = desired.settings.reclaim.is_some() && observed.role_arn.ends_with(&role);
        if has_role || observed.owner.as_ref().is_some_and(|owner| owner.ends_with(&role)) {
            return Ok(());
        }
        Err(association_exists(&subject, observed, desired).leaving(Remains::Nothing))
    }

    /// Repairs the trust policy and the binding in place.
    pub(super) async fn repair_role(
        &self,
        recorder: &mut Recorder<'_>,
        prior: &RunnerCredentials,
        planned: &RunnerCredentials,
    ) -> Result<()> {
        let desired = Desired::of(planned, AccessMethod::of(planned));
        if prior.trust_policy_json != planned.trust_policy_json
            && let Some(trust) = planned.trust_policy_json.as_str().and_then(parse)
        {
            self.set_trust(&desired, &trust).await?;
            recorder.state.trust_policy_json = planned.trust_policy_json.clone();
            recorder.journal.findings.trust = None;
            recorder.record();
            self.check_provider(recorder, &desired).await?;
        }
        if prior.service_account != planned.service_account {
            self.bind_service_account(&recorder.grant, &desired).await?;
            recorder.rebind(desired.method);
        }
        Ok(())
    }

    pub(super) async fn set_trust(&self, desired: &Desired, trust: &Json) -> Result<()> {
        let set = role::set_trust_policy(&self.iam, &desired.settings.name, &text(trust)).await;
        set.during(Step::SetTrust, Remains::Recorded)
    }

    /// Deletes the association with the role, if the mode has one.
    pub(super) async fn unbind_service_account(&self, grant: &Grant, desired: &Desired) -> Result<()> {
        // A superseded grant has no service account if its association was deleted or changed before.
        if desired.method.mode != Mode::PodIdentity || desired.service_account.name.is_empty() {
            return Ok(());
        }
        let subject = self.subject(desired, Remains::Recorded)?;
        let role_arn = grant.arn.as_deref().unwrap_or_default();
        let deleted = pod_identity::delete(self.eks, &subject, role_arn).await;
        deleted.during(Step::DeleteAssociation, Remains::Recorded)
    }

    /// Returns the service account with its cluster.
    pub(super) fn subject(&self, desired: &Desired, remains: Remains) -> Result<Subject> {
        let cluster = desired.cluster_name.as_deref().or(self.clients.cluster_name());
        let Some(cluster) = cluster else { return Err(Fault::NoCluster.leaving(remains)) };
        Ok(Subject {
            cluster: cluster.to_owned(),
            namespace: desired.service_account.namespace.clone(),
            service_account: desired.service_account.name.clone(),
        })
    }

    /// Returns the trust policy of a role with only this grant.
    pub(super) async fn trust(&self, desired: &Desired, remains: Remains) -> Result<Json> {
        if desired.method.mode == Mode::PodIdentity {
            return Ok(trust::pod_identity());
        }
        if desired.service_account.name.is_empty() {
            return Ok(trust::all(&[]));
        }
        let issuer = self.issuer(desired, &remains).await?;
        let account = self.account_id(remains).await?;
        Ok(trust::irsa(partition::name(self.region), account, issuer, &desired.service_account))
    }

    async fn account_id(&self, remains: Remains) -> Result<&str> {
        self.clients.account_id().await.map_err(|source| Fault::Client(source).leaving(remains))
    }

    /// Returns the OIDC issuer of the cluster, which is read once for each operation.
    async fn issuer(&self, desired: &Desired, remains: &Remains) -> Result<&str> {
        let read = || async {
            let Subject { cluster, .. } = self.subject(desired, remains.clone())?;
            let described = self.eks.describe_cluster().name(&cluster).send().await;
            let described = described.map_err(AwsError::of("DescribeCluster"));
            let described = described.during(Step::ReadCluster(cluster.clone()), remains.clone())?;
            let issuer = described.cluster.and_then(|cluster| cluster.identity?.oidc?.issuer);
            issuer.ok_or_else(|| Fault::NoIssuer(cluster).leaving(remains.clone()))
        };
        self.issuer.get_or_try_init(read).await.map(String::as_str)
    }

    /// Warns if the account does not have an identity provider for the cluster's issuer. IAM accepts such a role, but
    /// pods cannot use it.
    async fn check_provider(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        if desired.method.mode != Mode::Irsa {
            return Ok(());
        }
        let (issuer, account) =
            (self.issuer(desired, &Remains::Recorded).await?, self.account_id(Remains::Recorded).await?);
        let arn = trust::oidc_provider(partition::name(self.region), account, issuer);
        let request = self.iam.get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
        let missing = match request.send().await.map_err(AwsError::of("GetOpenIDConnectProvider")) {
            Ok(observed) if observed.client_id_list().iter().any(|audience| audience == trust::AUDIENCE) => {
                return Ok(());
            }
            Ok(_) => format!(
                "The IAM identity provider {arn} does not have the audience {}. Add this audience.",
                trust::AUDIENCE
            ),
            Err(error) if error.is_not_found() => format!(
                "The AWS account {account} does not have an IAM identity provider for the issuer of the cluster, \
                 {issuer}. Create it with the audience {}, for example with the resource \
                 aws_iam_openid_connect_provider or with \"eksctl utils associate-iam-oidc-provider --approve\".",
                trust::AUDIENCE
            ),
            // If the identity is not allowed to read the provider, the warning is omitted. The role itself is complete.
            Err(error) => {
                tracing::warn!(%error, "could not read the IAM identity provider of the cluster");
                return Ok(());
            }
        };
        let text = format!("{missing} Until then, pods cannot use the role {}.", desired.settings.name);
        recorder.warn(Diagnostic::warning("No identity provider for the cluster", text));
        Ok(())
    }
}

fn association_exists(subject: &Subject, observed: pod_identity::Found, desired: &Desired) -> Fault {
    let principal = (Principal::Role, role::name_of(&observed.role_arn));
    let id = import::id(desired.cluster_name.as_deref(), (&subject.namespace, &subject.service_account), principal);
    Fault::AssociationExists { service_account: subject.to_string(), role_arn: observed.role_arn, id }
}
