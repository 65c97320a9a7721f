//! Modes `irsa` and `pod_identity`: a role with a policy, for one service account.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::error::Error;
use super::holder::Holder;
use super::key_grant::{IN_STATE, NOTHING, aws};
use super::memory::{Book, Memory};
use super::pod_identity::{self, Subject};
use super::schema::RunnerCredentials;
use super::validate::{Mode, Wanted};
use super::{Scene, iam_role, trust};
use crate::clients::aws::AwsError;
use crate::framework::Value;
use crate::framework::wait::WaitError;
use crate::resources::partition;

/// What EKS looks for on a service account.
const ANNOTATION: &str = "eks.amazonaws.com/role-arn";

impl Scene<'_> {
    /// Role, policy, and what leads the service account to the role.
    pub(super) async fn grant_role(
        &self,
        wanted: &Wanted,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        let mut wanted = wanted.clone();
        wanted.settings.trust = Some(self.trust(&wanted, NOTHING).await?);
        Box::pin(self.grant_holder(Holder::Role, &wanted, state, memory, book)).await?;
        self.lead_to_role(&wanted, state).await?;
        book.write(state, memory);
        Ok(())
    }

    /// The way from the service account to a role that is there.
    pub(super) async fn lead_to_role(&self, wanted: &Wanted, state: &mut RunnerCredentials) -> Result<(), Error> {
        let role_arn = state.role_arn.as_str().unwrap_or_default().to_owned();
        state.service_account_annotations = Value::Known(match wanted.mode {
            Mode::Irsa => BTreeMap::from([(ANNOTATION.to_owned(), role_arn.as_str().into())]),
            Mode::PodIdentity | Mode::AccessKey => BTreeMap::new(),
        });
        if wanted.mode == Mode::PodIdentity {
            let subject = self.subject(wanted, IN_STATE)?;
            let ensured =
                pod_identity::ensure(self.context, self.eks, &subject, &role_arn, &wanted.settings.tags).await;
            ensured.map_err(|failure| match failure {
                pod_identity::Failure::Exists(found) => Error::AssociationExists {
                    service_account: format!("{}/{}", subject.namespace, subject.service_account),
                    role_arn: found.role_arn,
                    left: IN_STATE.to_owned(),
                },
                pod_identity::Failure::Call(source) => {
                    aws("Associating the service account with the role", source, IN_STATE)
                }
            })?;
        }
        Ok(())
    }

    pub(super) async fn set_trust(&self, wanted: &Wanted, trust: &Json) -> Result<(), Error> {
        let set = iam_role::set_trust(self.iam, &wanted.settings.name, trust).await;
        set.map_err(|error| aws("Changing who may use the role", WaitError::Failed(error), IN_STATE))
    }

    /// Removes the association, the policy and the role.
    pub(super) async fn revoke_role(&self, wanted: &Wanted, state: &mut RunnerCredentials) -> Result<(), Error> {
        self.unlead(wanted, state).await?;
        Box::pin(self.revoke_holder(Holder::Role, &wanted.settings.name)).await?;
        state.role_arn = Value::Null;
        state.service_account_annotations = Value::Known(BTreeMap::new());
        Ok(())
    }

    /// Removes the association that leads to the role, if the mode has one.
    pub(super) async fn unlead(&self, wanted: &Wanted, state: &RunnerCredentials) -> Result<(), Error> {
        // Without a service account in the state the association is gone already.
        if wanted.mode != Mode::PodIdentity || wanted.service_account.name.is_empty() {
            return Ok(());
        }
        let subject = self.subject(wanted, IN_STATE)?;
        let role_arn = state.role_arn.as_str().unwrap_or_default();
        let deleted = pod_identity::delete(self.eks, &subject, role_arn).await;
        deleted.map_err(|e| aws("Deleting the Pod Identity association", WaitError::Failed(e), IN_STATE))
    }

    /// Which service account of which cluster.
    pub(super) fn subject(&self, wanted: &Wanted, left: &str) -> Result<Subject, Error> {
        let cluster = wanted.cluster_name.as_deref().or(self.clients.cluster_name());
        Ok(Subject {
            cluster: cluster.ok_or_else(|| Error::NoCluster { left: left.to_owned() })?.to_owned(),
            namespace: wanted.service_account.namespace.clone(),
            service_account: wanted.service_account.name.clone(),
        })
    }

    pub(super) async fn trust(&self, wanted: &Wanted, left: &str) -> Result<Json, Error> {
        if wanted.mode == Mode::PodIdentity {
            return Ok(trust::pod_identity());
        }
        let Subject { cluster, .. } = self.subject(wanted, left)?;
        let described =
            self.eks.describe_cluster().name(&cluster).send().await.map_err(AwsError::of("DescribeCluster"));
        let described = described
            .map_err(|e| aws(format!("Looking at the EKS cluster {cluster}"), WaitError::Failed(e), left))?
            .cluster;
        let issuer = described.and_then(|cluster| cluster.identity?.oidc?.issuer);
        let issuer = issuer.ok_or_else(|| Error::NoIssuer { cluster, left: left.to_owned() })?;
        let account = self.clients.account_id().await;
        let account = account.map_err(|source| Error::Client { source: source.into(), left: left.to_owned() })?;
        Ok(trust::irsa(partition::name(self.region), account, &issuer, &wanted.service_account))
    }
}
