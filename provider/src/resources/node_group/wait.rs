//! Waits for the states of a node group and of its updates: which ones are temporary, which are final, and which of
//! these are failures.

use std::time::{Duration, Instant};

use aws_sdk_eks::Client;
use aws_sdk_eks::types::{Nodegroup, NodegroupStatus as Status, UpdateStatus};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::error::Cause;
use super::health::Issues;
use crate::propagation::PROPAGATION;

/// Cluster and name of a node group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) cluster: String,
    pub(super) name: String,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.cluster, self.name)
    }
}

/// The node group; `None` if it does not exist.
///
/// # Errors
/// The call failed.
pub(super) async fn describe(eks: &Client, id: &Id) -> Result<Option<Nodegroup>, AwsError> {
    let request = eks.describe_nodegroup().cluster_name(&id.cluster).nodegroup_name(&id.name);
    match request.send().await.map_err(AwsError::of("DescribeNodegroup")) {
        Ok(output) => Ok(output.nodegroup),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the node group. A transient failure of the service counts as pending: the wait continues until its timeout.
async fn look<T>(
    eks: &Client,
    id: &Id,
    judge: impl FnOnce(Option<Nodegroup>) -> Result<Look<T>, Cause>,
) -> Result<Look<T>, Cause> {
    match describe(eks, id).await {
        Ok(group) => judge(group),
        Err(error) if error.is_transient() => Ok(Look::Pending(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn status(group: &Nodegroup) -> String {
    group.status.as_ref().map_or("UNKNOWN", |status| status.as_str()).to_owned()
}

fn pending<T>(group: &Nodegroup) -> Look<T> {
    let issues = Issues::of(group);
    let status = status(group);
    Look::Pending(if issues.is_empty() { format!("status {status}") } else { format!("status {status}, {issues}") })
}

fn unhealthy(group: &Nodegroup) -> Cause {
    Cause::Unhealthy { status: status(group), issues: Issues::of(group) }
}

/// Waits until a new group is active. A new group that is degraded is a failure: it does not recover by itself. It may
/// take a while to become visible: a group that was never observed only counts as deleted after [`PROPAGATION`].
///
/// # Errors
/// It failed, was deleted, or the wait timed out.
pub(super) async fn until_active<D>(
    context: &Context<D>,
    eks: &Client,
    id: &Id,
    timeout: Duration,
) -> Result<Nodegroup, WaitError<Cause>> {
    let begin = context.clock.now();
    let mut seen = false;
    let mut waiting = Wait::new(context, timeout).watching().begin();
    loop {
        let judge = |group: Option<Nodegroup>| {
            let Some(group) = group else { return not_visible(begin, context.clock.now(), seen) };
            seen = true;
            match group.status {
                Some(Status::Active) => Ok(Look::Done(group)),
                Some(Status::Creating | Status::Updating) => Ok(pending(&group)),
                _ => Err(unhealthy(&group)),
            }
        };
        match waiting.look(Box::pin(look(eks, id, judge))).await? {
            Look::Done(group) => return Ok(group),
            Look::Pending(last) => waiting.next::<Cause>(last).await?,
        }
    }
}

fn not_visible<T>(begin: Instant, now: Instant, seen: bool) -> Result<Look<T>, Cause> {
    if seen || now.saturating_duration_since(begin) >= PROPAGATION {
        return Err(Cause::Deleted);
    }
    Ok(Look::Pending("the node group is not visible yet".to_owned()))
}

/// Waits until a group is neither being created nor updated.
///
/// # Errors
/// It does not exist or is being deleted, or the wait timed out.
pub(super) async fn until_idle<D>(
    context: &Context<D>,
    eks: &Client,
    id: &Id,
    timeout: Duration,
) -> Result<Nodegroup, WaitError<Cause>> {
    let judge = |group: Option<Nodegroup>| {
        let Some(group) = group else { return Err(Cause::Deleted) };
        match group.status {
            Some(Status::Creating | Status::Updating) => Ok(pending(&group)),
            Some(Status::Deleting) => Err(unhealthy(&group)),
            _ => Ok(Look::Done(group)),
        }
    };
    Wait::new(context, timeout).watching().until(|| look(eks, id, judge)).await
}

/// Waits until a group that is being deleted no longer exists.
///
/// # Errors
/// The deletion failed, or the wait timed out.
pub(super) async fn until_deleted<D>(
    context: &Context<D>,
    eks: &Client,
    id: &Id,
    timeout: Duration,
) -> Result<(), WaitError<Cause>> {
    let judge = |group: Option<Nodegroup>| match group {
        None => Ok(Look::Done(())),
        Some(group) if group.status == Some(Status::DeleteFailed) => Err(unhealthy(&group)),
        Some(group) => Ok(pending(&group)),
    };
    Wait::new(context, timeout).watching().until(|| look(eks, id, judge)).await
}

/// Waits until EKS has carried out an update.
///
/// # Errors
/// It failed or was cancelled, or the wait timed out.
pub(super) async fn until_updated<D>(
    context: &Context<D>,
    eks: &Client,
    id: &Id,
    update: &str,
    timeout: Duration,
) -> Result<(), WaitError<Cause>> {
    let begin = context.clock.now();
    let look = || async {
        let request = eks.describe_update().name(&id.cluster).nodegroup_name(&id.name).update_id(update);
        let update = match request.send().await.map_err(AwsError::of("DescribeUpdate")) {
            Ok(output) => output.update.ok_or(Cause::Incomplete("the update"))?,
            Err(error) if error.is_transient() => return Ok(Look::Pending(error.to_string())),
            // A new update may not be visible yet.
            Err(error) if error.is_not_found() => {
                let waited = context.clock.now().saturating_duration_since(begin);
                return if waited < PROPAGATION { Ok(Look::Pending(error.to_string())) } else { Err(error.into()) };
            }
            Err(error) => return Err(error.into()),
        };
        match &update.status {
            Some(UpdateStatus::Successful) => Ok(Look::Done(())),
            Some(status @ (UpdateStatus::Failed | UpdateStatus::Cancelled)) => {
                Err(Cause::UpdateEnded { status: status.to_string(), issues: Issues::of_update(&update) })
            }
            status => {
                let status = status.as_ref().map_or("unknown", |status| status.as_str());
                Ok(Look::Pending(format!("the update is {status}")))
            }
        }
    };
    Wait::new(context, timeout).watching().until(look).await
}

/// Whether EKS rejected a change because another change of the node group or its cluster is in progress. For the
/// cluster it returns several codes.
pub(super) fn is_busy(error: &AwsError) -> bool {
    let of_cluster =
        error.message().contains("not in ACTIVE status") || error.message().contains("not in Active State");
    match error.code() {
        Some("ResourceInUseException") => true,
        Some("InvalidRequestException" | "InvalidParameterException" | "ClientException") => of_cluster,
        _ => false,
    }
}

/// Repeats a request while another update of the node group is in progress, and for the first [`PROPAGATION`] also
/// while `passes` accepts its error.
///
/// # Errors
/// The request failed with another error, or the wait timed out.
pub(super) async fn when_free<D, T, F>(
    context: &Context<D>,
    timeout: Duration,
    passes: impl Fn(&AwsError) -> bool,
    mut request: impl FnMut() -> F,
) -> Result<T, WaitError<Cause>>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let begin = context.clock.now();
    Wait::new(context, timeout)
        .until(|| {
            let answer = request();
            let travels = context.clock.now().saturating_duration_since(begin) < PROPAGATION;
            let passes = &passes;
            async move {
                match answer.await {
                    Ok(done) => Ok(Look::Done(done)),
                    Err(error) if is_busy(&error) || (travels && passes(&error)) => {
                        Ok(Look::Pending(error.to_string()))
                    }
                    Err(error) => Err(Cause::Aws(error)),
                }
            }
        })
        .await
}
