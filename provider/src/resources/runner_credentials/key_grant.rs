//! Mode `access_key`: a user with a policy, its key in a Secret.

use std::time::Duration;

use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::wait::WaitError;

use super::access_key::{self, Failure, Listed, Made};
use super::error::{Error, Occupant};
use super::flatten::SECRET_CHANGED;
use super::manifests::secret::{KeyPair, Seen};
use super::memory::{Book, Key, Memory, Outgoing};
use super::model::Desired;
use super::plan::rotates_at;
use super::principal::{CreateFailure, Principal};
use super::schema::RunnerCredentials;
use super::{Session, inline_policy};
use crate::namespace::{self, Namespace};
use crate::policy_document;
use crate::propagation::{PROPAGATION, accepted};

/// An error that is a sentence's subject, and what is left behind.
pub(super) fn aws(doing: impl Into<String>, source: WaitError<AwsError>, left: &str) -> Error {
    Error::Aws { doing: doing.into(), source: Box::new(source), left: left.to_owned() }
}

pub(super) fn kubernetes(doing: impl Into<String>, source: KubernetesError, left: &str) -> Error {
    Error::Kubernetes { doing: doing.into(), source, left: left.to_owned() }
}

/// What the plan has shown of the Secret, for the state still has what was found.
fn seen(state: &RunnerCredentials, memory: &Memory) -> Seen {
    let found = Desired::of(state).place;
    Seen {
        labels: found.labels,
        annotations: found.annotations,
        data_changed: memory.rotation.as_deref() == Some(SECRET_CHANGED),
        is_adopted: memory.is_adopted,
    }
}

/// What is left behind before and after the user is there.
pub(super) const NOTHING: &str = "Nothing was created.";
pub(super) const MADE_BEFORE: &str = "The objects created before are in the state.";
pub(super) const IN_STATE: &str =
    "The objects created before are in the state. Apply or destroy again when the cause is resolved.";
pub(super) const AS_BEFORE: &str = "The previous key remains in use.";

const WRITING: &str = "Writing the Secret";

impl Session<'_> {
    /// Everything from the namespace to the Secret. The cluster comes first: without it there is no use for a key.
    pub(super) async fn grant_key(
        &self,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        let cluster = self.cluster(desired, NOTHING).await?;
        self.check_secret(&cluster, desired).await?;
        if self.ensure_namespace(&cluster, desired, limit, NOTHING).await? {
            book.write(state, memory);
        }
        let user = &desired.settings.name;
        let is_continued = Box::pin(self.grant_principal(Principal::User, desired, state, memory, book)).await?;
        let mut before = self.keys(user).await?;
        if state.access_key_id.known().is_some() {
            return Box::pin(self.reclaim_key(&cluster, desired, &before, state, memory, book)).await;
        }
        if is_continued {
            // Their secrets were lost with the create that was interrupted.
            for key in before.drain(..) {
                self.delete_key(user, &key.id, IN_STATE).await?;
            }
        }
        Box::pin(self.new_key(&cluster, desired, &before, state, memory, book)).await
    }

    /// User or role with its policy. Returns whether it was there already, begun by an interrupted create.
    pub(super) async fn grant_principal(
        &self,
        principal: Principal,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &Memory,
        book: &mut dyn Book,
    ) -> Result<bool, Error> {
        let name = &desired.settings.name;
        let doing = format!("Creating the IAM {} {name}", principal.label());
        let made = match Box::pin(principal.create(self.context, self.iam, &desired.settings)).await {
            Ok(made) => made,
            Err(CreateFailure::Exists) => {
                return Err(Error::Exists { principal, name: name.clone(), id: desired.import_id() });
            }
            Err(CreateFailure::Refused(source)) => return Err(aws(doing, source, NOTHING)),
            Err(CreateFailure::Unclear(source)) => {
                book.write(state, memory);
                return Err(aws(doing, source, IN_STATE));
            }
        };
        match principal {
            Principal::User => state.user_arn = made.arn.into(),
            Principal::Role => state.role_arn = made.arn.into(),
        }
        book.write(state, memory);
        let is_attached = state.policy_json.as_str().and_then(policy_document::parse).as_ref() == Some(&desired.policy);
        if !is_attached {
            self.put_policy(principal, desired).await?;
            state.policy_json = policy_document::text(&desired.policy).into();
            book.write(state, memory);
        }
        Ok(made.is_continued)
    }

    pub(super) async fn put_policy(&self, principal: Principal, desired: &Desired) -> Result<(), Error> {
        let name = &desired.settings.name;
        let put = inline_policy::put(self.context, self.iam, principal, name, &desired.policy).await;
        put.map_err(|source| {
            aws(format!("Attaching the policy to the IAM {} {name}", principal.label()), source, IN_STATE)
        })
    }

    /// The keys of a user who is there, though perhaps not known everywhere yet.
    pub(super) async fn keys(&self, user: &str) -> Result<Vec<Listed>, Error> {
        let list = || access_key::list(self.iam, user);
        let listed = accepted(self.context, PROPAGATION, AwsError::is_not_found, list).await;
        listed.map_err(|source| aws(format!("Listing the access keys of {user}"), source, IN_STATE))
    }

    pub(super) async fn delete_key(&self, user: &str, id: &str, left: &str) -> Result<(), Error> {
        let deleted = access_key::delete(self.context, self.iam, user, id).await;
        deleted.map_err(|error| aws(format!("Deleting the access key {id}"), WaitError::Failed(error), left))
    }

    /// The key that is in the Secret still, or another one in its place.
    async fn reclaim_key(
        &self,
        cluster: &kube::Client,
        desired: &Desired,
        keys: &[Listed],
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        self.retire(desired, state, memory, book).await?;
        let serves = |pair: &KeyPair| {
            Some(pair.fingerprint(&pair.id)) == memory.fingerprint
                && state.rotation_trigger == desired.rotation_trigger
                && keys.iter().any(|key| key.is_active && key.id == pair.id)
        };
        let read = desired.place.read(cluster).await;
        let read = read.map_err(|source| kubernetes("Reading the Secret", source, IN_STATE))?;
        match read.and_then(|found| found.pair).filter(serves) {
            Some(pair) => {
                let written = desired.place.apply(cluster, &pair, &seen(state, memory)).await;
                written.map_err(|failure| kubernetes(WRITING, failure.error, IN_STATE))?;
                state.rotates_at = rotates_at(state);
                book.write(state, memory);
                Ok(())
            }
            None => {
                memory.rotation = Some(SECRET_CHANGED.to_owned());
                Box::pin(self.new_key(cluster, desired, keys, state, memory, book)).await?;
                memory.retire_outgoing();
                self.retire(desired, state, memory, book).await
            }
        }
    }

    /// Refuses a Secret that is not ours: one that others made, or that holds the key of another user.
    async fn check_secret(&self, cluster: &kube::Client, desired: &Desired) -> Result<(), Error> {
        let place = &desired.place;
        let read = place.read(cluster).await;
        let Some(found) = read.map_err(|e| kubernetes("Looking for the Secret", e, NOTHING))? else { return Ok(()) };
        let user = found.user().map(str::to_owned);
        let is_ours = match &user {
            Some(user) if found.is_ours => {
                user == &place.user || matches!(Principal::User.read(self.iam, user).await, Ok(None))
            }
            _ => false,
        };
        if is_ours {
            return Ok(());
        }
        let (namespace, name) = (place.namespace.clone(), place.name.clone());
        let user =
            user.map(|user| Box::new(Occupant { id: place.import_id(desired.cluster_name.as_deref(), &user), user }));
        Err(Error::SecretExists { namespace, name, user, left: NOTHING.to_owned() })
    }

    pub(super) async fn ensure_namespace(
        &self,
        cluster: &kube::Client,
        desired: &Desired,
        limit: Duration,
        left: &str,
    ) -> Result<bool, Error> {
        let namespace = self.namespace(cluster, desired);
        let left = left.to_owned();
        match namespace.ensure(self.context, desired.create_namespace, limit).await {
            Ok(made) => Ok(made),
            Err(namespace::Failure::Missing) => Err(Error::NoNamespace { namespace: namespace.name.to_owned(), left }),
            Err(namespace::Failure::Call(source)) => Err(kubernetes("Creating the namespace", source, &left)),
            Err(namespace::Failure::Wait(source)) => {
                Err(Error::Wait { doing: "Waiting for the namespace".to_owned(), source, left })
            }
        }
    }

    pub(super) fn namespace<'b>(&self, client: &'b kube::Client, desired: &'b Desired) -> Namespace<'b> {
        let owner = format!("runner-credentials/{}", desired.place.name);
        Namespace { client, name: &desired.place.namespace, owner }
    }

    /// A new key, proven and in the Secret. When that fails, the key is deleted again: what is not in the Secret is of no
    /// use to anyone but a thief.
    pub(super) async fn new_key(
        &self,
        cluster: &kube::Client,
        desired: &Desired,
        before: &[Listed],
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        let user = &desired.settings.name;
        let Made { pair, created_at } = Box::pin(access_key::create(self.context, self.iam, user, before))
            .await
            .map_err(|failure| match failure {
                Failure::TooMany(keys) => Error::TooManyKeys { user: user.clone(), keys, left: IN_STATE.to_owned() },
                Failure::Empty => Error::EmptyKey { user: user.clone(), left: IN_STATE.to_owned() },
                Failure::Call(source) => aws(format!("Creating an access key for {user}"), source, IN_STATE),
            })?;
        let used = async {
            let proven = access_key::prove(self.context, self.sts, &pair).await;
            proven.map_err(|source| (aws("Waiting until AWS accepts the new access key", source, ""), false))?;
            let written = desired.place.apply(cluster, &pair, &seen(state, memory)).await;
            written.map_err(|failure| (kubernetes(WRITING, failure.error, ""), failure.is_unclear))
        };
        if let Err((mut error, is_unclear)) = Box::pin(used).await {
            let key = &pair.id;
            // Before there was a key nobody uses the Secret, and to delete this one harms nobody.
            if is_unclear && !state.access_key_id.is_null() {
                memory.unclear = Some(Key {
                    id: key.clone(),
                    created_at: Some(created_at),
                    fingerprint: Some(pair.fingerprint(key)),
                    rotation_trigger: desired.rotation_trigger.known().cloned(),
                });
                book.write(state, memory);
                error.leaves(format!(
                    "It is not known whether the new access key {key} is in the Secret. The previous key is kept as \
                     well; the next apply keeps the one in the Secret and deletes the other."
                ));
                return Err(error);
            }
            let mut left = match access_key::delete(self.context, self.iam, user, key).await {
                Ok(()) => format!("The new access key {key} was deleted again."),
                Err(second) => {
                    memory.retiring.push(key.clone());
                    book.write(state, memory);
                    format!(
                        "The new access key {key} could not be deleted ({second}); the next apply or destroy deletes \
                         it."
                    )
                }
            };
            left.push(' ');
            left += if state.access_key_id.is_null() { IN_STATE } else { AS_BEFORE };
            error.leaves(left);
            return Err(error);
        }
        self.take_into_use(desired, &pair, created_at, before, state, memory);
        book.write(state, memory);
        Ok(())
    }

    /// What follows for state and memory from a key that is in the Secret.
    pub(super) fn take_into_use(
        &self,
        desired: &Desired,
        pair: &KeyPair,
        created_at: String,
        before: &[Listed],
        state: &mut RunnerCredentials,
        memory: &mut Memory,
    ) {
        let old = state.access_key_id.known().cloned();
        let is_active = |old: &String| before.iter().any(|key| key.is_active && &key.id == old);
        let is_there = |old: &String| before.iter().any(|key| &key.id == old);
        match old.filter(is_there) {
            // Until it is known when the Secret was written, every pod counts as older.
            Some(old) if is_active(&old) => {
                memory.retire_outgoing();
                memory.outgoing = Some(Outgoing { id: old, until: "9999".to_owned(), is_idle: false });
            }
            old => memory.retiring.extend(old),
        }
        let fingerprint = pair.fingerprint(&pair.id);
        memory.fingerprint = Some(fingerprint.clone());
        memory.rotation = None;
        memory.unclear = None;
        memory.is_adopted = false;
        state.secret_hash = fingerprint.into();
        state.access_key_id = pair.id.as_str().into();
        state.created_at = created_at.into();
        state.rotation_trigger = desired.rotation_trigger.clone();
        state.rotates_at = rotates_at(state);
    }

    /// Writes labels and annotations again, with the key that is in the Secret: server-side apply takes all or nothing.
    pub(super) async fn relabel(
        &self,
        desired: &Desired,
        state: &RunnerCredentials,
        memory: &mut Memory,
    ) -> Result<(), Error> {
        let cluster = self.cluster(desired, IN_STATE).await?;
        let place = &desired.place;
        let read = place.read(&cluster).await.map_err(|e| kubernetes("Reading the Secret", e, IN_STATE))?;
        let pair = read.and_then(|found| found.pair);
        match pair.filter(|pair| Some(pair.fingerprint(&pair.id)) == memory.fingerprint) {
            Some(pair) => {
                let written = place.apply(&cluster, &pair, &seen(state, memory)).await;
                written.map_err(|failure| kubernetes(WRITING, failure.error, IN_STATE))?;
                memory.is_adopted = false;
                Ok(())
            }
            None => Err(Error::SecretChanged { namespace: place.namespace.clone(), name: place.name.clone() }),
        }
    }
}
