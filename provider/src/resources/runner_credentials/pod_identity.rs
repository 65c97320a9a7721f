//! The association of a service account with the role, for EKS Pod Identity.

use std::fmt;

use aws_sdk_eks::Client;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use crate::iam::optional;
use crate::propagation::{PROPAGATION, accepted};
use crate::tags::Tags;

/// Tag of associations that this provider created. Its value is the ARN of the role.
const OWNER: &str = "gitlabspot/role";

/// A service account of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) service_account: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.service_account)
    }
}

/// An observed association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) role_arn: String,
    /// ARN of the role for which this provider created the association.
    pub(super) owner: Option<String>,
}

/// Reason why an association could not be created.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service account already has an association, which this resource does not manage.
    Exists(Found),
    Call(WaitError<AwsError>),
}

impl<E: Into<WaitError<AwsError>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Call(error.into())
    }
}

/// Reads the association of a service account, which has at most one. Lists also contain deleted associations for some
/// time, so that each one is described.
pub(super) async fn read(eks: &Client, subject: &Subject) -> Result<Option<Found>, AwsError> {
    let listed = eks
        .list_pod_identity_associations()
        .cluster_name(&subject.cluster)
        .namespace(&subject.namespace)
        .service_account(&subject.service_account)
        .send()
        .await
        .map_err(AwsError::of("ListPodIdentityAssociations"));
    let Some(listed) = optional(listed)? else { return Ok(None) };
    for id in listed.associations().iter().filter_map(|association| association.association_id()) {
        if let Some(observed) = describe(eks, subject, id).await? {
            return Ok(Some(observed));
        }
    }
    Ok(None)
}

async fn describe(eks: &Client, subject: &Subject, id: &str) -> Result<Option<Found>, AwsError> {
    let request = eks.describe_pod_identity_association().cluster_name(&subject.cluster).association_id(id);
    let answer = request.send().await.map_err(AwsError::of("DescribePodIdentityAssociation"));
    Ok(optional(answer)?.and_then(|answer| answer.association).map(|association| {
        let owner = association.tags.and_then(|mut tags| tags.remove(OWNER));
        Found { id: id.to_owned(), role_arn: association.role_arn.unwrap_or_default(), owner }
    }))
}

/// Creates an association with the role, or changes the one that this provider created for it.
pub(super) async fn ensure<D>(
    context: &Context<D>,
    eks: &Client,
    subject: &Subject,
    (role_arn, tags): (&str, &Tags),
) -> Result<(), Failure> {
    if let Some(observed) = read(eks, subject).await? {
        return change_role(context, eks, subject, (role_arn, observed)).await;
    }
    let call = || async {
        let mut request = eks
            .create_pod_identity_association()
            .cluster_name(&subject.cluster)
            .namespace(&subject.namespace)
            .service_account(&subject.service_account)
            .role_arn(role_arn)
            .tags(OWNER, role_arn);
        for (key, value) in tags {
            request = request.tags(key, value);
        }
        request.send().await.map(drop).map_err(AwsError::of("CreatePodIdentityAssociation"))
    };
    match accepted(context, PROPAGATION, is_unknown_role, call).await {
        Err(WaitError::Failed(error)) if is_taken(&error) => match read(eks, subject).await? {
            Some(observed) => change_role(context, eks, subject, (role_arn, observed)).await,
            // The association was just deleted, and EKS still rejects a new one.
            None => {
                let passes = |error: &AwsError| is_unknown_role(error) || is_taken(error);
                Ok(accepted(context, PROPAGATION, passes, call).await?)
            }
        },
        created => Ok(created?),
    }
}

/// Sets the role of an association, if this provider created it.
async fn change_role<D>(
    context: &Context<D>,
    eks: &Client,
    subject: &Subject,
    (role_arn, observed): (&str, Found),
) -> Result<(), Failure> {
    if observed.role_arn == role_arn {
        return Ok(());
    }
    if observed.owner.as_deref() != Some(role_arn) {
        return Err(Failure::Exists(observed));
    }
    let call = || async {
        let request = eks.update_pod_identity_association().cluster_name(&subject.cluster);
        let request = request.association_id(&observed.id).role_arn(role_arn);
        request.send().await.map(drop).map_err(AwsError::of("UpdatePodIdentityAssociation"))
    };
    Ok(accepted(context, PROPAGATION, is_unknown_role, call).await?)
}

/// Whether the service account already has an association.
fn is_taken(error: &AwsError) -> bool {
    error.code() == Some("ResourceInUseException")
}

/// Whether EKS does not know the role. A new role propagates.
fn is_unknown_role(error: &AwsError) -> bool {
    error.matches("InvalidParameterException", "Role provided in the request does not exist")
}

/// Deletes the association with the role. An association that does not exist is a success.
pub(super) async fn delete(eks: &Client, subject: &Subject, role_arn: &str) -> Result<(), AwsError> {
    let Some(observed) = read(eks, subject).await? else { return Ok(()) };
    if observed.role_arn != role_arn {
        return Ok(());
    }
    let request = eks.delete_pod_identity_association().cluster_name(&subject.cluster).association_id(observed.id);
    let deleted = request.send().await.map_err(AwsError::of("DeletePodIdentityAssociation"));
    optional(deleted).map(drop)
}
