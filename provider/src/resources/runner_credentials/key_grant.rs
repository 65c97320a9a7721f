//! Mode `access_key`: a user with a policy, its key in a Secret.

use std::time::Duration;

use super::access_key::{self, Failure, Listed, Made};
use super::error::Error;
use super::flatten::SECRET_CHANGED;
use super::holder::{CreateFailure, Holder};
use super::manifests::secret::Seen;
use super::memory::{Book, Memory};
use super::plan::rotates_at;
use super::schema::RunnerCredentials;
use super::validate::Wanted;
use super::{Scene, inline_policy};
use crate::clients::aws::AwsError;
use crate::clients::kubernetes::KubernetesError;
use crate::framework::wait::WaitError;
use crate::framework::{Diagnostic, Value};
use crate::resources::namespace::{self, Namespace, Removal};
use crate::resources::policy_document;
use crate::resources::propagation::{PROPAGATION, accepted};

/// An error that is a sentence's subject, and what is left behind.
pub(super) fn aws(doing: impl Into<String>, source: WaitError<AwsError>, left: &str) -> Error {
    Error::Aws { doing: doing.into(), source: Box::new(source), left: left.to_owned() }
}

fn kubernetes(doing: impl Into<String>, source: KubernetesError, left: &str) -> Error {
    Error::Kubernetes { doing: doing.into(), source, left: left.to_owned() }
}

/// What the plan has shown of the Secret, for the state still has what was found.
fn seen(state: &RunnerCredentials, memory: &Memory) -> Seen {
    let found = Wanted::of(state).place;
    Seen {
        labels: found.labels,
        annotations: found.annotations,
        data_changed: memory.rotation.as_deref() == Some(SECRET_CHANGED),
        is_adopted: memory.is_adopted,
    }
}

/// What is left behind before and after the user is there.
pub(super) const NOTHING: &str = "Nothing was made.";
pub(super) const IN_STATE: &str =
    "What was made before is in the state; apply or destroy again when the cause is gone.";
const AS_BEFORE: &str = "The key that was in use before still is.";

impl Scene<'_> {
    /// Everything from the namespace to the Secret. The cluster comes first: without it there is no use for a key.
    pub(super) async fn grant_key(
        &self,
        wanted: &Wanted,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        let cluster = self.cluster(wanted, NOTHING).await?;
        self.check_secret(&cluster, wanted).await?;
        if self.ensure_namespace(&cluster, wanted, limit, NOTHING).await? {
            book.write(state, memory);
        }
        let user = &wanted.settings.name;
        let is_continued = self.grant_holder(Holder::User, wanted, state, memory, book).await?;
        let mut before = self.keys(user).await?;
        if is_continued {
            // Their secrets were lost with the create that was interrupted.
            for key in before.drain(..) {
                let deleted = access_key::delete(self.context, self.iam, user, &key.id).await;
                deleted
                    .map_err(|e| aws(format!("Deleting the access key {}", key.id), WaitError::Failed(e), IN_STATE))?;
            }
        }
        self.new_key(&cluster, wanted, &before, state, memory, book).await
    }

    /// User or role with its policy. Returns whether it was there already, begun by an interrupted create.
    pub(super) async fn grant_holder(
        &self,
        holder: Holder,
        wanted: &Wanted,
        state: &mut RunnerCredentials,
        memory: &Memory,
        book: &mut dyn Book,
    ) -> Result<bool, Error> {
        let name = &wanted.settings.name;
        let doing = format!("Creating the IAM {} {name}", holder.word());
        let made = match holder.create(self.context, self.iam, &wanted.settings).await {
            Ok(made) => made,
            Err(CreateFailure::Exists) => return Err(Error::Exists { holder, name: name.clone() }),
            Err(CreateFailure::Refused(source)) => return Err(aws(doing, source, NOTHING)),
            Err(CreateFailure::Unclear(source)) => {
                book.write(state, memory);
                return Err(aws(doing, source, IN_STATE));
            }
        };
        match holder {
            Holder::User => state.user_arn = made.arn.into(),
            Holder::Role => state.role_arn = made.arn.into(),
        }
        book.write(state, memory);
        self.put_policy(holder, wanted).await?;
        state.policy_json = policy_document::text(&wanted.policy).into();
        book.write(state, memory);
        Ok(made.is_continued)
    }

    pub(super) async fn put_policy(&self, holder: Holder, wanted: &Wanted) -> Result<(), Error> {
        let name = &wanted.settings.name;
        let put = || inline_policy::put(self.iam, holder, name, &wanted.policy);
        let passes = |error: &AwsError| matches!(error.code(), Some("NoSuchEntity" | "ConcurrentModification"));
        let put = accepted(self.context, PROPAGATION, passes, put).await;
        put.map_err(|source| aws(format!("Attaching the policy to the IAM {} {name}", holder.word()), source, IN_STATE))
    }

    async fn keys(&self, user: &str) -> Result<Vec<Listed>, Error> {
        let listed = access_key::list(self.iam, user).await;
        let failed = |error| aws(format!("Listing the access keys of {user}"), WaitError::Failed(error), IN_STATE);
        Ok(listed.map_err(failed)?.unwrap_or_default())
    }

    /// Refuses a Secret that is not ours: one that others made, or that holds the key of another user.
    async fn check_secret(&self, cluster: &kube::Client, wanted: &Wanted) -> Result<(), Error> {
        let place = &wanted.place;
        let read = place.read(cluster).await;
        let Some(found) = read.map_err(|e| kubernetes("Looking for the Secret", e, NOTHING))? else { return Ok(()) };
        let user = found.user().map(str::to_owned);
        let is_ours = match &user {
            Some(user) if found.is_ours => {
                user == &place.user || matches!(Holder::User.read(self.iam, user).await, Ok(None))
            }
            _ => false,
        };
        if is_ours {
            return Ok(());
        }
        let (namespace, name) = (place.namespace.clone(), place.name.clone());
        Err(Error::SecretExists { namespace, name, user, left: NOTHING.to_owned() })
    }

    async fn ensure_namespace(
        &self,
        cluster: &kube::Client,
        wanted: &Wanted,
        limit: Duration,
        left: &str,
    ) -> Result<bool, Error> {
        let namespace = self.namespace(cluster, wanted);
        let left = left.to_owned();
        match namespace.ensure(self.context, wanted.create_namespace, limit).await {
            Ok(made) => Ok(made),
            Err(namespace::Failure::Missing) => Err(Error::NoNamespace { namespace: namespace.name.to_owned(), left }),
            Err(namespace::Failure::Call(source)) => Err(kubernetes("Making the namespace", source, &left)),
            Err(namespace::Failure::Wait(source)) => {
                Err(Error::Wait { doing: "Waiting for the namespace".to_owned(), source, left })
            }
        }
    }

    pub(super) fn namespace<'b>(&self, client: &'b kube::Client, wanted: &'b Wanted) -> Namespace<'b> {
        let owner = format!("runner-credentials/{}", wanted.place.name);
        Namespace { client, name: &wanted.place.namespace, owner }
    }

    /// A new key, proven and in the Secret. When that fails, the key is deleted again: what is not in the Secret is of no
    /// use to anyone but a thief.
    async fn new_key(
        &self,
        cluster: &kube::Client,
        wanted: &Wanted,
        before: &[Listed],
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        let user = &wanted.settings.name;
        let Made { pair, created_at } =
            access_key::create(self.context, self.iam, user, before).await.map_err(|failure| match failure {
                Failure::TooMany(keys) => Error::TooManyKeys { user: user.clone(), keys, left: IN_STATE.to_owned() },
                Failure::Empty => Error::EmptyKey { user: user.clone(), left: IN_STATE.to_owned() },
                Failure::Call(source) => aws(format!("Making an access key for {user}"), source, IN_STATE),
            })?;
        let used = async {
            let proven = access_key::prove(self.context, self.sts, &pair).await;
            proven.map_err(|source| aws("Waiting until AWS accepts the new access key", source, ""))?;
            let written = wanted.place.apply(cluster, &pair, &seen(state, memory)).await;
            written.map_err(|source| kubernetes("Writing the Secret", source, ""))
        };
        if let Err(mut error) = used.await {
            let key = &pair.id;
            let mut left = match access_key::delete(self.context, self.iam, user, key).await {
                Ok(()) => format!("The new access key {key} was deleted again."),
                Err(second) => {
                    memory.retiring.push(key.clone());
                    book.write(state, memory);
                    format!(
                        "The new access key {key} could not be deleted ({second}); the next apply or destroy does it."
                    )
                }
            };
            left.push(' ');
            left += if state.access_key_id.is_null() { IN_STATE } else { AS_BEFORE };
            error.leaves(left);
            return Err(error);
        }
        let old = state.access_key_id.known().cloned();
        memory.retiring.extend(old.filter(|old| before.iter().any(|key| &key.id == old)));
        let fingerprint = pair.fingerprint(&pair.id);
        memory.fingerprint = Some(fingerprint.clone());
        memory.rotation = None;
        memory.is_adopted = false;
        state.secret_hash = fingerprint.into();
        state.access_key_id = pair.id.into();
        state.created_at = created_at.into();
        state.rotates_at = rotates_at(state);
        book.write(state, memory);
        Ok(())
    }

    /// Replaces the key: the new one is in the Secret before the old one is turned off.
    pub(super) async fn rotate(
        &self,
        wanted: &Wanted,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        let cluster = self.cluster(wanted, AS_BEFORE).await?;
        self.ensure_namespace(&cluster, wanted, limit, AS_BEFORE).await?;
        // There may be two keys; room is made by those that should be gone already.
        self.retire(wanted, state, memory, book).await?;
        let before = self.keys(&wanted.settings.name).await?;
        self.new_key(&cluster, wanted, &before, state, memory, book).await?;
        self.retire(wanted, state, memory, book).await
    }

    /// Turns off and deletes the keys that are out of use.
    pub(super) async fn retire(
        &self,
        wanted: &Wanted,
        state: &RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        while let Some(key) = memory.retiring.first().cloned() {
            let retired = access_key::retire(self.context, self.iam, &wanted.settings.name, &key).await;
            retired.map_err(|error| {
                let left = format!("The new key is in use; the next apply deletes {key}.");
                aws(format!("Deleting the old access key {key}"), WaitError::Failed(error), &left)
            })?;
            memory.retiring.remove(0);
            book.write(state, memory);
        }
        Ok(())
    }

    /// Writes labels and annotations again, with the key that is in the Secret: server-side apply takes all or nothing.
    pub(super) async fn relabel(
        &self,
        wanted: &Wanted,
        state: &RunnerCredentials,
        memory: &mut Memory,
    ) -> Result<(), Error> {
        let cluster = self.cluster(wanted, IN_STATE).await?;
        let place = &wanted.place;
        let read = place.read(&cluster).await.map_err(|e| kubernetes("Reading the Secret", e, IN_STATE))?;
        let pair = read.and_then(|found| found.pair);
        match pair.filter(|pair| Some(pair.fingerprint(&pair.id)) == memory.fingerprint) {
            Some(pair) => {
                let written = place.apply(&cluster, &pair, &seen(state, memory)).await;
                written.map_err(|e| kubernetes("Writing the Secret", e, IN_STATE))?;
                memory.is_adopted = false;
                Ok(())
            }
            None => Err(Error::SecretChanged { namespace: place.namespace.clone(), name: place.name.clone() }),
        }
    }

    /// Removes everything, in the order in which nobody is left with half of it: Secret, keys, policy, user.
    pub(super) async fn revoke_key(
        &self,
        wanted: &Wanted,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<Vec<Diagnostic>, Error> {
        let mut warnings = Vec::new();
        if let Some(cluster) = self.cluster_if_any(wanted, &mut warnings).await? {
            let deleted = wanted.place.delete(&cluster).await;
            deleted.map_err(|source| kubernetes("Deleting the Secret", source, IN_STATE))?;
        }
        state.secret_hash = Value::Null;
        book.write(state, memory);
        let user = &wanted.settings.name;
        let keys: Vec<String> =
            state.access_key_id.known().cloned().into_iter().chain(memory.retiring.clone()).collect();
        for key in keys {
            let deleted = access_key::delete(self.context, self.iam, user, &key).await;
            deleted.map_err(|e| aws(format!("Deleting the access key {key}"), WaitError::Failed(e), IN_STATE))?;
        }
        memory.retiring.clear();
        state.access_key_id = Value::Null;
        state.created_at = Value::Null;
        state.rotates_at = Value::Null;
        book.write(state, memory);
        self.revoke_holder(Holder::User, user).await?;
        state.user_arn = Value::Null;
        Ok(warnings)
    }

    pub(super) async fn revoke_holder(&self, holder: Holder, name: &str) -> Result<(), Error> {
        let what = format!("the IAM {} {name}", holder.word());
        let deleted = inline_policy::delete(self.iam, holder, name).await;
        deleted.map_err(|e| aws(format!("Deleting the policy of {what}"), WaitError::Failed(e), IN_STATE))?;
        match holder.delete(self.context, self.iam, name).await {
            Ok(()) => Ok(()),
            Err(WaitError::Failed(error)) if error.code() == Some("DeleteConflict") => {
                let obstacles = holder.obstacles(self.iam, name).await;
                if obstacles.is_empty() {
                    return Err(aws(format!("Deleting {what}"), WaitError::Failed(error), IN_STATE));
                }
                Err(Error::InTheWay { holder, name: name.to_owned(), obstacles, left: IN_STATE.to_owned() })
            }
            Err(source) => Err(aws(format!("Deleting {what}"), source, IN_STATE)),
        }
    }

    /// Removes the namespace if it was made here and is empty; what keeps it is told.
    pub(super) async fn remove_namespace(&self, wanted: &Wanted, limit: Duration) -> Result<Option<Diagnostic>, Error> {
        let Some(cluster) = self.cluster_if_any(wanted, &mut Vec::new()).await? else { return Ok(None) };
        let namespace = self.namespace(&cluster, wanted);
        let kept = |detail: String| {
            let detail = format!("The namespace {} was made by this resource and stays: {detail}", namespace.name);
            Some(Diagnostic::warning("Namespace kept", detail))
        };
        match namespace.remove(self.context, limit).await {
            Ok(Removal::Done) => Ok(None),
            Ok(Removal::InUse(content)) => Ok(kept(format!("there is more in it ({}).", content.join(", ")))),
            Ok(Removal::Unsure(error)) => Ok(kept(format!("not everything in it can be listed ({error})."))),
            Err(source) => {
                Err(Error::Wait { doing: "Removing the namespace".to_owned(), source, left: IN_STATE.to_owned() })
            }
        }
    }
}
