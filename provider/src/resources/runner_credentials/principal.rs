//! The principal that has the permissions: an IAM user or an IAM role.

use std::fmt;
use std::time::Duration;

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;
use serde_json::Value as Json;
use tfplugin::framework::wait::WaitError;

use super::switch::SWITCHING;
use super::{iam_role, iam_user};
use crate::iam::{Iam, Waited, optional, role};
use crate::policy_document::{equivalent, text};
use crate::propagation::{PROPAGATION, accepted, principal_may_be_new};
use crate::tags::{Change, Tags, UNFINISHED};
use crate::timestamp;

/// Time for which IAM may still list a deleted access key. If the user has keys of others, the error of its deletion is
/// delayed by this time.
const LAG: Duration = Duration::from_secs(15);

/// Type of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    User,
    Role,
}

/// Type and name of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    principal: Principal,
    name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IAM {} {}", self.principal.label(), self.name)
    }
}

/// Settings of a principal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) boundary: Option<String>,
    pub(super) tags: Tags,
    /// Trust policy of a role. Users have none.
    pub(super) trust: Option<Json>,
    /// Managed tags of the principal, if it may exist already and this resource manages it.
    pub(super) reclaim: Option<Tags>,
}

impl Settings {
    /// End of the ARN of a role with these settings.
    pub(super) fn end_of_role_arn(&self) -> String {
        format!(":role{}{}", self.path, self.name)
    }
}

/// An observed principal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observed {
    pub(super) arn: String,
    pub(super) path: String,
    pub(super) boundary: Option<String>,
    pub(super) tags: Tags,
    pub(super) trust: Option<Json>,
}

/// Result of a create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Created {
    pub(super) arn: String,
    /// Whether the principal existed already, from an interrupted create or an earlier grant of this resource.
    pub(super) is_continued: bool,
}

/// Reason why a principal could not be created.
#[derive(Debug)]
pub(super) enum CreateFailure {
    /// A principal of this name exists, which this resource does not manage.
    Exists,
    /// The principal was not created.
    Refused(WaitError<AwsError>),
    /// The principal may have been created.
    Unclear(WaitError<AwsError>),
}

/// Reason why a principal could not be deleted.
#[derive(Debug)]
pub(super) enum DeleteFailure {
    /// These attachments of others prevent the deletion.
    InUse(Vec<String>),
    Call(WaitError<AwsError>),
}

impl Observed {
    /// Returns the observed form of these settings.
    pub(super) fn of(settings: &Settings) -> Self {
        let Settings { path, boundary, tags, trust, .. } = settings.clone();
        Self { arn: String::new(), path, boundary, tags, trust }
    }
}

impl Principal {
    /// The type in texts for users.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }

    /// Returns the principal of this type and name.
    pub(super) fn id(self, name: &str) -> Id {
        Id { principal: self, name: name.to_owned() }
    }

    pub(super) async fn read(self, iam: &Client, name: &str) -> Result<Option<Observed>, AwsError> {
        optional(self.get(iam, name).await)
    }

    async fn get(self, iam: &Client, name: &str) -> Result<Observed, AwsError> {
        match self {
            Self::User => iam_user::read(iam, name).await,
            Self::Role => iam_role::read(iam, name).await,
        }
    }

    /// Creates the principal, or continues with one of an interrupted create or an earlier grant of this resource.
    pub(super) async fn create(self, iam: Iam<'_>, settings: &Settings) -> Result<Created, CreateFailure> {
        let unclear = |error: AwsError| CreateFailure::Unclear(error.into());
        if let Some(managed) = &settings.reclaim
            && let Some(mut observed) = self.read(&iam, &settings.name).await.map_err(unclear)?
        {
            observed.tags.retain(|key, _| managed.contains_key(key) || settings.tags.contains_key(key));
            return self.resume(iam, (observed, settings)).await;
        }
        // The tag is part of the create request, so that a create that is interrupted afterwards can be identified.
        let mut marked = settings.clone();
        marked.tags.insert(UNFINISHED.to_owned(), timestamp::format(iam.context.clock.time_of_day()));
        let marked = &marked;
        let call = || async {
            match self {
                Self::User => iam_user::create(&iam, marked).await,
                Self::Role => iam_role::create(&iam, marked).await,
            }
        };
        let source = match accepted(iam.context, PROPAGATION, passes, call).await {
            Ok(arn) => return Ok(Created { arn, is_continued: false }),
            Err(source) => source,
        };
        let (exists, is_unclear) = match &source {
            WaitError::Failed(error) => (error.code() == Some("EntityAlreadyExists"), error.is_outcome_unknown()),
            _ => (false, false),
        };
        if !exists && !is_unclear {
            return Err(CreateFailure::Refused(source));
        }
        match self.read(&iam, &settings.name).await {
            // The request with the lost response, or an interrupted create, has created it.
            Ok(Some(observed)) if observed.tags.contains_key(UNFINISHED) => {
                self.resume(iam, (observed, settings)).await
            }
            Ok(Some(_)) => Err(CreateFailure::Exists),
            Ok(None) if is_unclear => Err(CreateFailure::Refused(source)),
            // A principal that cannot be read is assumed to belong to others.
            Err(_) if exists => Err(CreateFailure::Exists),
            _ => Err(CreateFailure::Unclear(source)),
        }
    }

    /// Continues with a principal that exists.
    async fn resume(self, iam: Iam<'_>, (observed, settings): (Observed, &Settings)) -> Result<Created, CreateFailure> {
        self.adjust(iam, &observed, settings).await.map_err(CreateFailure::Unclear)?;
        Ok(Created { arn: observed.arn, is_continued: true })
    }

    /// Changes permissions boundary, tags and trust policy from `before` to `desired`. Tags that are not in `before`
    /// belong to others and are preserved.
    pub(super) async fn adjust(self, iam: Iam<'_>, before: &Observed, desired: &Settings) -> Waited<()> {
        let name = &desired.name;
        if before.boundary != desired.boundary {
            let boundary = desired.boundary.as_deref();
            let call = || async {
                match self {
                    Self::User => iam_user::set_boundary(&iam, name, boundary).await,
                    Self::Role => role::set_boundary(&iam, name, boundary).await,
                }
            };
            accepted(iam.context, PROPAGATION, passes, call).await?;
        }
        // The tag remains until the operation is complete; `finish` removes it.
        let mut managed = before.tags.clone();
        managed.remove(UNFINISHED);
        let change = Change::between(&managed, &desired.tags);
        accepted(iam.context, PROPAGATION, passes, || self.change_tags(&iam, name, &change)).await?;
        if let (Self::Role, Some(trust)) = (self, &desired.trust)
            && !before.trust.as_ref().is_some_and(|before| equivalent(before, trust))
        {
            let trust = text(trust);
            accepted(iam.context, PROPAGATION, passes, || role::set_trust_policy(&iam, name, &trust)).await?;
        }
        Ok(())
    }

    async fn change_tags(self, iam: &Client, name: &str, change: &Change) -> Result<(), AwsError> {
        match self {
            Self::User => iam_user::change_tags(iam, name, change).await,
            Self::Role => role::change_tags(iam, name, change).await,
        }
    }

    /// Sets a tag of this provider.
    pub(super) async fn mark(self, iam: Iam<'_>, name: &str, (key, value): (&str, &str)) -> Waited<()> {
        let change = Change { set: [(key.to_owned(), value.to_owned())].into(), ..Change::default() };
        accepted(iam.context, PROPAGATION, passes, || self.change_tags(&iam, name, &change)).await
    }

    /// Removes the tags of an unfinished create or switch.
    pub(super) async fn finish(self, iam: Iam<'_>, name: &str) -> Waited<()> {
        let change = Change { remove: vec![UNFINISHED.to_owned(), SWITCHING.to_owned()], ..Change::default() };
        // A new principal may still be propagating.
        let passes = |error: &AwsError| passes(error) || error.is_not_found();
        accepted(iam.context, PROPAGATION, passes, || self.change_tags(&iam, name, &change)).await
    }

    /// Waits until IAM returns a new principal. Otherwise the next refresh may not find it and remove it from the
    /// state.
    pub(super) async fn wait_until_visible(self, iam: Iam<'_>, name: &str) -> Waited<()> {
        accepted(iam.context, PROPAGATION, AwsError::is_not_found, || self.get(&iam, name)).await.map(drop)
    }

    /// Deletes the principal. A principal that does not exist is a success. `gone` are keys that were just deleted,
    /// which IAM still lists for some time.
    pub(super) async fn delete(self, iam: Iam<'_>, name: &str, gone: &[String]) -> Result<(), DeleteFailure> {
        let call = || async {
            match self {
                Self::User => iam_user::delete(&iam, name).await,
                Self::Role => role::delete(&iam, name).await,
            }
        };
        let is_conflict = |error: &AwsError| error.code() == Some("DeleteConflict");
        match accepted(iam.context, PROPAGATION, passes, call).await {
            Err(WaitError::Failed(error)) if is_conflict(&error) => {}
            other => return other.map_err(DeleteFailure::Call),
        }
        let passes = |error: &AwsError| passes(error) || is_conflict(error);
        let mut obstacles = self.obstacles(&iam, name, gone).await;
        if !obstacles.is_empty() && obstacles.iter().all(|it| it.starts_with(iam_user::ACCESS_KEY)) {
            // A key that the previous apply deleted cannot be distinguished from a key of others.
            match accepted(iam.context, LAG, passes, call).await {
                Err(WaitError::Failed(error)) if is_conflict(&error) => {}
                other => return other.map_err(DeleteFailure::Call),
            }
            obstacles = self.obstacles(&iam, name, gone).await;
        }
        if !obstacles.is_empty() {
            return Err(DeleteFailure::InUse(obstacles));
        }
        // The deletion of keys and policies is still propagating.
        accepted(iam.context, PROPAGATION, passes, call).await.map_err(DeleteFailure::Call)
    }

    /// Lists attachments of others that prevent the deletion.
    async fn obstacles(self, iam: &Client, name: &str, gone: &[String]) -> Vec<String> {
        match self {
            Self::User => iam_user::obstacles(iam, name, gone).await,
            Self::Role => iam_role::obstacles(iam, name).await,
        }
    }
}

/// Whether an error is transient.
fn passes(error: &AwsError) -> bool {
    error.code() == Some("ConcurrentModification")
        || error.code() == Some("EntityTemporarilyUnmodifiable")
        || principal_may_be_new(error)
}
