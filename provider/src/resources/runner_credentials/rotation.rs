//! Another key for the same user: the new one works and is in the Secret before the old one is turned off and deleted.
//!
//! Keys have no tags. So the user has one while a rotation is under way, which tells the keys of before: what a rotation
//! that was killed has left is known by it, and never mistaken for a key of others.

use std::time::{Duration, SystemTime};

use tfplugin::framework::Diagnostic;
use tfplugin::framework::wait::WaitError;

use super::access_key::{self, Listed};
use super::error::Error;
use super::key_grant::{AS_BEFORE, IN_STATE, aws, kubernetes};
use super::manifests::secret::KeyPair;
use super::memory::{Book, Key, Memory};
use super::model::Desired;
use super::principal::Principal;
use super::schema::RunnerCredentials;
use super::{Session, iam_user};
use crate::tags::Change;
use crate::timestamp;

/// The tag: when the rotation began, and the keys that were there.
const ROTATING: &str = "gitlabspot/rotating";

/// A key that is this much older or younger than the beginning of a rotation is not of that rotation.
const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Session<'_> {
    /// Replaces the key.
    pub(super) async fn rotate(
        &self,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        let cluster = self.cluster(desired, AS_BEFORE).await?;
        self.ensure_namespace(&cluster, desired, limit, AS_BEFORE).await?;
        // There may be two keys; room is made by those that should be gone already, and by the one of the last rotation.
        memory.retire_outgoing();
        self.retire(desired, state, memory, book).await?;
        let user = &desired.settings.name;
        let mut keys = self.keys(user).await?;
        let orphans = self.orphans(user, &keys, state, memory.unclear.as_ref()).await?;
        let rotated = if let Some((pair, created_at)) = self.finished(&cluster, desired, &orphans).await? {
            self.take_into_use(desired, &pair, created_at, &keys, state, memory);
            book.write(state, memory);
            Ok(())
        } else {
            for orphan in &orphans {
                tracing::warn!(
                    user,
                    access_key_id = orphan.id,
                    "removing the access key of a rotation that was interrupted"
                );
                self.delete_key(user, &orphan.id, AS_BEFORE).await?;
            }
            memory.unclear = None;
            keys.retain(|key| !orphans.contains(key));
            self.mark(user, &keys).await?;
            Box::pin(self.new_key(&cluster, desired, &keys, state, memory, book)).await
        };
        let retired = match rotated {
            Ok(()) => {
                Box::pin(self.keep_outgoing(&cluster, desired, state, memory, book)).await;
                self.retire(desired, state, memory, book).await
            }
            failed => failed,
        };
        // Not before the old key is gone: until this operation has returned, the state does not know the new one.
        self.unmark(user).await;
        retired
    }

    /// Keeps the key of before as long as pods use it that were started with it.
    async fn keep_outgoing(
        &self,
        cluster: &kube::Client,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) {
        if let Some(key) = &mut memory.outgoing {
            let written = desired.place.read(cluster).await.ok().flatten().and_then(|found| found.written_at);
            key.until = written.unwrap_or_else(|| timestamp::format(self.context.clock.time_of_day()));
            match self.why_outgoing_stays(key, state).await {
                None => memory.retire_outgoing(),
                Some(why) => {
                    let text = format!(
                        "{}: {why}. As soon as no pod uses it, a plan shows its deletion. The next rotation deletes it \
                         in any case.",
                        key.shown(state)
                    );
                    self.warn(Diagnostic::warning("Old access key kept", text));
                }
            }
        }
        state.superseded = memory.superseded(state);
        book.write(state, memory);
    }

    /// Turns off and deletes the keys that are out of use.
    pub(super) async fn retire(
        &self,
        desired: &Desired,
        state: &RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<(), Error> {
        while let Some(key) = memory.retiring.first().cloned() {
            let retired = access_key::retire(self.context, self.iam, &desired.settings.name, &key).await;
            retired.map_err(|error| {
                let left = format!("The new key is in use; the next apply deletes {key}.");
                aws(format!("Deleting the old access key {key}"), WaitError::Failed(error), &left)
            })?;
            memory.retiring.remove(0);
            book.write(state, memory);
        }
        Ok(())
    }

    /// The keys that a rotation has left which was killed, or did not learn whether its key is in the Secret.
    async fn orphans(
        &self,
        user: &str,
        keys: &[Listed],
        state: &RunnerCredentials,
        unclear: Option<&Key>,
    ) -> Result<Vec<Listed>, Error> {
        let found = Principal::User.read(self.iam, user).await;
        let failed = |error| aws(format!("Reading the IAM user {user}"), WaitError::Failed(error), AS_BEFORE);
        let mark = found.map_err(failed)?.and_then(|found| found.tags.get(ROTATING).cloned()).unwrap_or_default();
        let in_use = state.access_key_id.as_str();
        let is_left = |key: &&Listed| is_left_by(&mark, key) || unclear.is_some_and(|unclear| unclear.id == key.id);
        let left = keys.iter().filter(|key| Some(key.id.as_str()) != in_use).filter(is_left);
        Ok(left.cloned().collect())
    }

    /// The orphan that is in the Secret and works: its rotation was killed after the key had been taken into use.
    async fn finished(
        &self,
        cluster: &kube::Client,
        desired: &Desired,
        orphans: &[Listed],
    ) -> Result<Option<(KeyPair, String)>, Error> {
        if orphans.is_empty() {
            return Ok(None);
        }
        let read = desired.place.read(cluster).await;
        let failed = |source| kubernetes("Reading the Secret", source, IN_STATE);
        let Some(pair) = read.map_err(failed)?.and_then(|found| found.pair) else { return Ok(None) };
        let Some(orphan) = orphans.iter().find(|orphan| orphan.id == pair.id) else { return Ok(None) };
        let works = access_key::works(self.sts, &pair).await;
        Ok(works.then(|| (pair, orphan.created_at.clone().unwrap_or_default())))
    }

    async fn mark(&self, user: &str, keys: &[Listed]) -> Result<(), Error> {
        let value = mark(self.context.clock.time_of_day(), keys);
        let change = Change { set: [(ROTATING.to_owned(), value)].into(), ..Change::default() };
        let marked = iam_user::change_tags(self.iam, user, &change).await;
        marked.map_err(|error| aws(format!("Tagging the IAM user {user}"), WaitError::Failed(error), AS_BEFORE))
    }

    /// A mark that stays is of no consequence: it counts for a few minutes, and the next rotation overwrites it.
    async fn unmark(&self, user: &str) {
        let change = Change { remove: vec![ROTATING.to_owned()], ..Change::default() };
        if let Err(error) = iam_user::change_tags(self.iam, user, &change).await {
            tracing::warn!(user, %error, "the tag {ROTATING} could not be removed");
        }
    }
}

fn mark(now: SystemTime, keys: &[Listed]) -> String {
    let words = std::iter::once(timestamp::format(now)).chain(keys.iter().map(|key| key.id.clone()));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a key was made by the rotation that left this mark.
fn is_left_by(mark: &str, key: &Listed) -> bool {
    let mut words = mark.split(' ');
    let begin = words.next().and_then(timestamp::parse);
    let made = key.created_at.as_deref().and_then(timestamp::parse);
    let is_of_its_time = begin.zip(made).is_some_and(|(begin, made)| {
        let apart = made.duration_since(begin).unwrap_or_else(|earlier| earlier.duration());
        apart <= LONGEST
    });
    is_of_its_time && !words.any(|known| known == key.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_orphans_from_keys_of_others() {
        let key =
            |id: &str, made: &str| Listed { id: id.to_owned(), is_active: true, created_at: Some(made.to_owned()) };
        let begin = timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mark = mark(begin, &[key("AKIA1", "2025-01-01T00:00:00Z"), key("AKIA2", "2026-01-01T00:00:00Z")]);
        assert_eq!(mark, "2026-01-01T00:00:00Z AKIA1 AKIA2");
        assert!(is_left_by(&mark, &key("AKIA3", "2026-01-01T00:00:05Z")));
        // The clocks of AWS and of this machine differ a little.
        assert!(is_left_by(&mark, &key("AKIA3", "2025-12-31T23:59:50Z")));
        assert!(!is_left_by(&mark, &key("AKIA2", "2026-01-01T00:00:00Z")));
        assert!(!is_left_by(&mark, &key("AKIA3", "2026-01-01T00:20:00Z")));
        assert!(!is_left_by("", &key("AKIA3", "2026-01-01T00:00:05Z")));
        assert!(!is_left_by(&mark, &Listed { created_at: None, ..key("AKIA3", "") }));
    }
}
