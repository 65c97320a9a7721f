//! Asking EKS for a node group so that it is never lost, whatever happens to the answers.
//!
//! Every attempt of one create carries the same token, which makes it one request to EKS. The group carries two tags: one
//! says which create made it, the other that this create has not come to its end. A group of the wanted name is then
//! ours (the answer was lost), abandoned (the create that made it is dead, and it is what we want: it is taken over), or
//! someone else's.

use std::time::{Duration, Instant};

use aws_sdk_eks::types::{Nodegroup, NodegroupStatus as Status};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::Session;
use super::error::{Cause, Left};
use super::expand::{self, Place};
use super::flatten::{Found, Reading, flatten, settle};
use super::model::Desired;
use super::node_role::OWNER;
use super::schema::{NodeGroup, known_set};
use super::template;
use super::wait::{Id, describe, is_busy, until_gone};
use crate::propagation::PROPAGATION;
use crate::tags::UNFINISHED;
use crate::{names, timestamp};

/// What EKS says while a new role is not known everywhere. The code alone means too much.
const ROLE_NOT_KNOWN_YET: [&str; 6] = [
    "cannot be found",
    "does not exist",
    "Error in role params",
    "Role could not be assumed because the trusted entity is not correct",
    "The provided role doesn't have the Amazon EKS Managed Policies associated with it",
    "IAM role's policy must include",
];

/// What is under the wanted name after a request that did not simply succeed.
pub(super) enum Under {
    Ours(Box<Nodegroup>),
    Unfinished(Box<Nodegroup>),
    Foreign(Box<Nodegroup>),
    BeingDeleted,
}

/// What a request was answered with.
enum Sent {
    Answered(Under),
    /// Not now: something is being changed.
    Busy(AwsError),
}

/// What became of the request.
pub(super) enum Outcome {
    Made(Box<Nodegroup>),
    Exists(Box<Nodegroup>),
}

impl<D> Session<'_, D> {
    /// Asks EKS for the group until it is clear what became of it.
    pub(super) async fn make(
        &self,
        id: &Id,
        planned: &NodeGroup,
        end: Instant,
    ) -> Result<Outcome, (WaitError<Cause>, Left)> {
        let spec = Desired::of(planned);
        let token = names::generated("", 32);
        let now = timestamp::format(self.context.clock.time_of_day());
        let place = Place {
            name: id.name.clone(),
            subnets: known_set(&planned.subnet_ids).unwrap_or_default(),
            role_arn: planned.node_role_arn.as_str().unwrap_or_default().to_owned(),
            token: token.clone(),
            has_new_template: template::is_there(planned),
            marks: [(OWNER.to_owned(), token.clone()), (UNFINISHED.to_owned(), now)].into(),
        };
        loop {
            match self.send(id, &spec, &place, end).await? {
                Under::Ours(group) => return Ok(Outcome::Made(group)),
                Under::Foreign(group) => return Ok(Outcome::Exists(group)),
                Under::BeingDeleted => {
                    let gone = until_gone(self.context, self.eks, id, self.left(end)).await;
                    gone.map_err(|source| (source, Left::Nothing))?;
                }
                Under::Unfinished(group) => {
                    if !self.is_what_we_want(planned, &group) {
                        return Ok(Outcome::Exists(group));
                    }
                    if let Some(outcome) = self.take_over(id, &token, end).await? {
                        return Ok(outcome);
                    }
                }
            }
        }
    }

    /// Sends the request, again while the cluster or something of the group's name is being changed, which may take as
    /// long as the create.
    async fn send(
        &self,
        id: &Id,
        spec: &Desired,
        place: &Place,
        end: Instant,
    ) -> Result<Under, (WaitError<Cause>, Left)> {
        let result = Wait::new(self.context, self.left(end))
            .every(Duration::from_secs(1), Duration::from_secs(15))
            .until(|| async {
                Ok(match self.send_while_role_is_new(id, spec, place).await? {
                    Sent::Answered(under) => Look::Done(under),
                    Sent::Busy(error) => Look::Pending(error.to_string()),
                })
            })
            .await;
        result.map_err(|error| match error {
            WaitError::Failed(failed) => failed,
            WaitError::TimedOut { after, last } => (WaitError::TimedOut { after, last }, Left::Nothing),
            WaitError::Cancelled { last } => (WaitError::Cancelled { last }, Left::Nothing),
        })
    }

    /// Sends the request, again while the role or the launch template is not known everywhere.
    async fn send_while_role_is_new(
        &self,
        id: &Id,
        spec: &Desired,
        place: &Place,
    ) -> Result<Sent, (WaitError<Cause>, Left)> {
        let mut lost = false;
        let sent = self.send_until_role_is_known(id, spec, place, &mut lost).await;
        sent.map_err(|source| (source, if lost { Left::Perhaps } else { Left::Nothing }))
    }

    /// The same; `lost` tells whether the request may have been carried out when it fails.
    async fn send_until_role_is_known(
        &self,
        id: &Id,
        spec: &Desired,
        place: &Place,
        lost: &mut bool,
    ) -> Result<Sent, WaitError<Cause>> {
        let wait = Wait::new(self.context, PROPAGATION).every(Duration::from_secs(1), Duration::from_secs(10));
        let mut waiting = wait.begin();
        loop {
            let request = expand::create(spec, place).send_with(self.eks).await;
            let error = match request.map_err(AwsError::of("CreateNodegroup")) {
                Ok(output) => {
                    let group = output.nodegroup.ok_or(Cause::Incomplete("the node group"))?;
                    return Ok(Sent::Answered(Under::Ours(Box::new(group))));
                }
                Err(error) => error,
            };
            let may_pass = is_role_not_known_yet(&error) || (place.has_new_template && template::may_be_new(&error));
            if !may_pass {
                let busy = is_busy(&error);
                if !busy && !error.is_outcome_unknown() {
                    return Err(Cause::Aws(error).into());
                }
                // Until a look says otherwise, the request may have been carried out.
                *lost = !busy;
                match describe(self.eks, id).await {
                    Ok(Some(group)) => return Ok(Sent::Answered(under(group, &place.token))),
                    Ok(None) => *lost = false,
                    Err(_) => return Err(Cause::Aws(error).into()),
                }
                if busy {
                    return Ok(Sent::Busy(error));
                }
            }
            waiting.next::<Cause>(error.to_string()).await?;
        }
    }

    /// Takes over a group that another create began, if that create is dead: a living one takes its mark away soon after
    /// the group works. `None`: the group is gone, and can be made.
    async fn take_over(&self, id: &Id, token: &str, end: Instant) -> Result<Option<Outcome>, (WaitError<Cause>, Left)> {
        let nothing = |source| (source, Left::Nothing);
        let watch = |even_when_done: bool| async move {
            let Some(group) = describe(self.eks, id).await? else { return Ok(Look::Done(None)) };
            let unfinished = group.tags.iter().flatten().any(|(key, _)| key == UNFINISHED);
            let working = matches!(group.status, Some(Status::Creating | Status::Updating));
            if unfinished && (working || even_when_done) {
                return Ok::<_, Cause>(Look::Pending("another operation that creates it has not finished".to_owned()));
            }
            Ok(Look::Done(Some((group, unfinished))))
        };
        let patience = Wait::new(self.context, self.left(end));
        let Some((_, true)) = patience.until(|| watch(false)).await.map_err(nothing)? else {
            return self.look_again(id).await.map_err(nothing);
        };
        match Wait::new(self.context, PROPAGATION).until(|| watch(true)).await {
            Err(WaitError::TimedOut { .. }) => {}
            Err(other) => return Err(nothing(other)),
            Ok(_) => return self.look_again(id).await.map_err(nothing),
        }
        let Some(group) = describe(self.eks, id).await.map_err(|error| nothing(WaitError::Failed(error.into())))?
        else {
            return Ok(None);
        };
        let arn = group.nodegroup_arn.clone().unwrap_or_default();
        let tagged = self.eks.tag_resource().resource_arn(arn).tags(OWNER, token).send().await;
        tagged.map_err(|error| nothing(WaitError::Failed(AwsError::new("TagResource", &error).into())))?;
        tracing::info!(%id, "took over a node group that an interrupted create left");
        Ok(Some(Outcome::Made(Box::new(group))))
    }

    async fn look_again(&self, id: &Id) -> Result<Option<Outcome>, WaitError<Cause>> {
        let found = describe(self.eks, id).await.map_err(|error| WaitError::Failed(error.into()))?;
        Ok(found.map(|group| Outcome::Exists(Box::new(group))))
    }

    /// Whether a group is as this create would make it.
    fn is_what_we_want(&self, planned: &NodeGroup, group: &Nodegroup) -> bool {
        let reading = Reading { tags: self.tags, importing: false, suspended_by_us: false };
        let found = flatten(planned, &Found { group: group.clone(), asgs: Some(vec![]) }, reading);
        let same_place = found.node_role_arn == planned.node_role_arn && found.subnet_ids == planned.subnet_ids;
        let wanted = settle(planned, found.clone());
        let sizes = |mut spec: Desired| {
            spec.desired_size = None;
            spec.taints.sort();
            spec
        };
        same_place && sizes(Desired::of(&wanted)) == sizes(Desired::of(&found))
    }
}

pub(super) fn under(group: Nodegroup, token: &str) -> Under {
    let tag = |key: &str| group.tags.as_ref().and_then(|tags| tags.get(key));
    if tag(OWNER).is_some_and(|owner| owner == token) {
        return Under::Ours(Box::new(group));
    }
    if group.status == Some(Status::Deleting) {
        return Under::BeingDeleted;
    }
    if tag(UNFINISHED).is_some() { Under::Unfinished(Box::new(group)) } else { Under::Foreign(Box::new(group)) }
}

fn is_role_not_known_yet(error: &AwsError) -> bool {
    // Before the first node group of an account EKS makes its own role, which is as new.
    if error.message().contains("unable to assume the service-linked role") {
        return true;
    }
    let about_role = |text: &str| text.contains("role") || text.contains("Role");
    error.code() == Some("InvalidParameterException")
        && about_role(error.message())
        && ROLE_NOT_KNOWN_YET.iter().any(|text| error.message().contains(text))
}
