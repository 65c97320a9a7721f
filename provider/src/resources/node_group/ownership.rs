//! Requests a node group from EKS without losing it when a response is lost.
//!
//! All attempts of one create have the same token, with which EKS treats them as one request. The node group gets two
//! tags: one with this token, and one that is removed when the create has completed. An existing node group of the same
//! name then belongs to this create (a response was lost), to an interrupted create (it is adopted if it is as
//! planned), or to others.

use std::time::{Duration, Instant};

use aws_sdk_eks::types::{Nodegroup, NodegroupStatus as Status};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::Session;
use super::error::{Cause, During, Result, Step};
use super::expand::{self, Place};
use super::flatten::{Reading, flatten, settle};
use super::model::{Desired, Observed};
use super::node_role::OWNER;
use super::schema::{NodeGroup, known_set};
use super::template;
use super::wait::{Id, describe, is_busy, until_deleted};
use crate::propagation::PROPAGATION;
use crate::steps::Remains;
use crate::tags::UNFINISHED;
use crate::{names, timestamp};

/// Messages of EKS while a new role propagates. The error code alone is too general.
const ROLE_NOT_KNOWN_YET: [&str; 6] = [
    "cannot be found",
    "does not exist",
    "Error in role params",
    "Role could not be assumed because the trusted entity is not correct",
    "The provided role doesn't have the Amazon EKS Managed Policies associated with it",
    "IAM role's policy must include",
];

/// An existing node group of the planned name.
pub(super) enum Existing {
    /// It belongs to this create.
    Own(Box<Nodegroup>),
    /// It belongs to a create that has not completed.
    Unfinished(Box<Nodegroup>),
    OfOthers(Box<Nodegroup>),
    Deleting,
}

/// The result of a request.
enum Sent {
    Answered(Existing),
    /// Another operation changes the cluster or a node group of this name.
    Busy(AwsError),
}

/// The result of a create.
pub(super) enum Outcome {
    Created(Box<Nodegroup>),
    Exists(Box<Nodegroup>),
}

impl Session<'_> {
    /// Requests the node group until it is certain that it exists or does not.
    pub(super) async fn request_group(&self, id: &Id, planned: &NodeGroup, end: Instant) -> Result<Outcome> {
        let spec = Desired::of(planned);
        let token = names::generated("", 32);
        let now = timestamp::format(self.context.clock.time_of_day());
        let place = Place {
            name: id.name.clone(),
            subnets: known_set(&planned.subnet_ids).unwrap_or_default(),
            role_arn: planned.node_role_arn.as_str().unwrap_or_default().to_owned(),
            token: token.clone(),
            has_new_template: template::is_managed(planned),
            marks: [(OWNER.to_owned(), token.clone()), (UNFINISHED.to_owned(), now)].into(),
        };
        loop {
            match self.send(id, &spec, &place, end).await? {
                Existing::Own(group) => return Ok(Outcome::Created(group)),
                Existing::OfOthers(group) => return Ok(Outcome::Exists(group)),
                Existing::Deleting => {
                    let deleted = until_deleted(self.context, self.eks, id, self.context.left(end)).await;
                    deleted.during(Step::Create, id, Remains::Nothing)?;
                }
                Existing::Unfinished(group) if !self.is_as_planned(planned, &group) => {
                    return Ok(Outcome::Exists(group));
                }
                Existing::Unfinished(_) => {
                    let adopted = self.adopt(id, &token, end).await;
                    if let Some(outcome) = adopted.during(Step::Create, id, Remains::Nothing)? {
                        return Ok(outcome);
                    }
                }
            }
        }
    }

    /// Sends the request, and repeats it while the cluster or a node group of the same name is being changed, until the
    /// create times out.
    async fn send(&self, id: &Id, spec: &Desired, place: &Place, end: Instant) -> Result<Existing> {
        let wait =
            Wait::new(self.context, self.context.left(end)).every(Duration::from_secs(1), Duration::from_secs(15));
        let mut waiting = wait.begin();
        loop {
            let mut remains = Remains::Nothing;
            let sent = Box::pin(self.send_until_role_is_known(id, spec, place, &mut remains)).await;
            match sent.during(Step::Create, id, remains)? {
                Sent::Answered(existing) => return Ok(existing),
                Sent::Busy(error) => {
                    let waited = waiting.next::<Cause>(error.to_string()).await;
                    waited.during(Step::Create, id, Remains::Nothing)?;
                }
            }
        }
    }

    /// Sends the request, and repeats it while the role or the launch template propagates. If it fails, `remains`
    /// contains whether the node group may have been created.
    async fn send_until_role_is_known(
        &self,
        id: &Id,
        spec: &Desired,
        place: &Place,
        remains: &mut Remains,
    ) -> std::result::Result<Sent, WaitError<Cause>> {
        let wait = Wait::new(self.context, PROPAGATION).every(Duration::from_secs(1), Duration::from_secs(10));
        let mut waiting = wait.begin();
        loop {
            let request = expand::create(spec, place).send_with(self.eks).await;
            let error = match request.map_err(AwsError::of("CreateNodegroup")) {
                Ok(output) => {
                    let group = output.nodegroup.ok_or(Cause::Incomplete("the node group"))?;
                    return Ok(Sent::Answered(Existing::Own(Box::new(group))));
                }
                Err(error) => error,
            };
            let may_pass = is_role_not_known_yet(&error) || (place.has_new_template && template::may_be_new(&error));
            if !may_pass {
                let busy = is_busy(&error);
                if !busy && !error.is_outcome_unknown() {
                    return Err(Cause::Aws(error).into());
                }
                // Applies if the following read fails as well.
                *remains = if busy { Remains::Nothing } else { Remains::Unknown };
                match describe(self.eks, id).await {
                    Ok(Some(group)) => return Ok(Sent::Answered(classify(group, &place.token))),
                    Ok(None) => *remains = Remains::Nothing,
                    Err(_) => return Err(Cause::Aws(error).into()),
                }
                if busy {
                    return Ok(Sent::Busy(error));
                }
            }
            waiting.next::<Cause>(error.to_string()).await?;
        }
    }

    /// Adopts a node group of another create if that create was interrupted: a running create removes its tag soon
    /// after the node group is active. `None`: the node group no longer exists and can be created.
    async fn adopt(
        &self,
        id: &Id,
        token: &str,
        end: Instant,
    ) -> std::result::Result<Option<Outcome>, WaitError<Cause>> {
        let watch = |even_when_done: bool| async move {
            let Some(group) = describe(self.eks, id).await? else { return Ok(Look::Done(None)) };
            let unfinished = group.tags.iter().flatten().any(|(key, _)| key == UNFINISHED);
            let working = matches!(group.status, Some(Status::Creating | Status::Updating));
            if unfinished && (working || even_when_done) {
                return Ok::<_, Cause>(Look::Pending("another operation that creates it has not finished".to_owned()));
            }
            Ok(Look::Done(Some((group, unfinished))))
        };
        let Some((_, true)) = Wait::new(self.context, self.context.left(end)).until(|| watch(false)).await? else {
            return self.existing(id).await;
        };
        // A running create removes the tag within this time. A timeout means that the create was interrupted.
        match Wait::new(self.context, PROPAGATION).until(|| watch(true)).await {
            Err(WaitError::TimedOut { .. }) => {}
            watched => {
                watched?;
                return self.existing(id).await;
            }
        }
        let Some(group) = describe(self.eks, id).await.map_err(Cause::Aws)? else { return Ok(None) };
        let arn = group.nodegroup_arn.clone().unwrap_or_default();
        let tagged = self.eks.tag_resource().resource_arn(arn).tags(OWNER, token).send().await;
        tagged.map_err(|error| Cause::Aws(AwsError::new("TagResource", &error)))?;
        tracing::info!(%id, "adopted a node group of an interrupted create");
        Ok(Some(Outcome::Created(Box::new(group))))
    }

    async fn existing(&self, id: &Id) -> std::result::Result<Option<Outcome>, WaitError<Cause>> {
        let group = describe(self.eks, id).await.map_err(Cause::Aws)?;
        Ok(group.map(|group| Outcome::Exists(Box::new(group))))
    }

    /// Whether a node group has the settings that this create would request.
    fn is_as_planned(&self, planned: &NodeGroup, group: &Nodegroup) -> bool {
        let reading = Reading { tags: self.tags, importing: false, suspended_by_us: false };
        let observed = flatten(planned, &Observed { group: group.clone(), asgs: Some(vec![]) }, reading);
        let same_place = observed.node_role_arn == planned.node_role_arn && observed.subnet_ids == planned.subnet_ids;
        let desired = settle(planned, observed.clone());
        let comparable = |mut spec: Desired| {
            // The autoscaler may have changed the size. The order of taints has no meaning.
            spec.desired_size = None;
            spec.taints.sort();
            spec
        };
        same_place && comparable(Desired::of(&desired)) == comparable(Desired::of(&observed))
    }
}

pub(super) fn classify(group: Nodegroup, token: &str) -> Existing {
    let tag = |key: &str| group.tags.as_ref().and_then(|tags| tags.get(key));
    if tag(OWNER).is_some_and(|owner| owner == token) {
        return Existing::Own(Box::new(group));
    }
    if group.status == Some(Status::Deleting) {
        return Existing::Deleting;
    }
    if tag(UNFINISHED).is_some() { Existing::Unfinished(Box::new(group)) } else { Existing::OfOthers(Box::new(group)) }
}

fn is_role_not_known_yet(error: &AwsError) -> bool {
    // With the first node group of an account EKS creates its service-linked role, which has to propagate as well.
    if error.message().contains("unable to assume the service-linked role") {
        return true;
    }
    let about_role = |text: &str| text.contains("role") || text.contains("Role");
    error.code() == Some("InvalidParameterException")
        && about_role(error.message())
        && ROLE_NOT_KNOWN_YET.iter().any(|text| error.message().contains(text))
}
