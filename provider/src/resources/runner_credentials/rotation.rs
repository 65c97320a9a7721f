//! Rotation of the key: AWS accepts the new key and the Secret contains it before the old key is deactivated and
//! deleted.
//!
//! Access keys cannot have tags. During a rotation the user therefore has a tag with the start time and the IDs of the
//! keys that existed before. It identifies the key of an interrupted rotation, so that keys of others are not deleted.

use std::time::{Duration, SystemTime};

use tfplugin::framework::Diagnostic;

use super::access_key::{self, Listed};
use super::error::{During, IamObject, Remains, Result, Step, old_key, previous_key};
use super::journal::Key;
use super::model::Desired;
use super::principal::Principal;
use super::recorder::Recorder;
use super::{Session, iam_user};
use crate::tags::Change;
use crate::timestamp;

/// Tag of the user during a rotation. Its value is the start time and the IDs of the keys that existed.
const ROTATING: &str = "gitlabspot/rotating";

/// Maximum difference between the creation time of a key and the start time of the rotation that created it.
const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Session<'_> {
    /// Replaces the key.
    pub(super) async fn rotate(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        let cluster = self.cluster(desired, previous_key()).await?;
        self.ensure_namespace(desired, &cluster, previous_key()).await?;
        // IAM allows two keys for each user, so that keys of earlier rotations are deleted first.
        recorder.grant.retire_outgoing();
        self.retire(recorder).await?;
        let user = &desired.settings.name;
        let mut listed = self.keys(user).await?;
        let orphans = self.orphans(recorder, user, &listed).await?;
        let rotated = if let Some(key) = self.completed(desired, &cluster, &orphans).await? {
            recorder.use_key(key, &listed);
            Ok(())
        } else {
            for orphan in &orphans {
                let access_key_id = &orphan.id;
                tracing::warn!(user, access_key_id, "deleting the access key of an interrupted rotation");
                self.delete_key(user, access_key_id, previous_key()).await?;
            }
            recorder.grant.unclear = None;
            listed.retain(|key| !orphans.contains(key));
            // Before the new key is created: the tag then identifies it if this operation is interrupted.
            self.mark(user, &listed).await?;
            self.new_key(recorder, desired, &listed).await
        };
        let retired = match rotated {
            Ok(()) => {
                self.keep_outgoing(recorder, desired, &cluster).await;
                self.retire(recorder).await
            }
            failed => failed,
        };
        // Only after the old key was deleted: the host saves the new key when this operation returns, and until then
        // only the tag identifies it.
        self.unmark(user).await;
        retired
    }

    /// Keeps the previous key, with a warning, if pods that started with it still run. Otherwise marks it for deletion.
    async fn keep_outgoing(&self, recorder: &mut Recorder<'_>, desired: &Desired, cluster: &kube::Client) {
        if let Some(mut key) = recorder.grant.outgoing.take() {
            let written = desired.place.read(cluster).await.ok().flatten().and_then(|observed| observed.written_at);
            // Compared with creation times of pods, which are by the cluster's clock. This machine's clock may differ.
            key.until = written.unwrap_or_else(|| timestamp::format(self.context.clock.time_of_day()));
            let why = self.why_kept(&key, &recorder.state).await;
            let text = why.map(|why| {
                format!(
                    "{}: {why}. The first apply after the pods have ended deletes it. The next rotation deletes it in any \
                     case.",
                    key.describe(&recorder.state)
                )
            });
            recorder.grant.outgoing = Some(key);
            match text {
                None => recorder.grant.retire_outgoing(),
                Some(text) => recorder.warn(Diagnostic::warning("Old access key kept", text)),
            }
        }
        recorder.record();
    }

    /// Deactivates and deletes the keys that are marked for deletion.
    pub(super) async fn retire(&self, recorder: &mut Recorder<'_>) -> Result<()> {
        while let Some(key) = recorder.grant.retiring.first().cloned() {
            let retired = access_key::retire(self.iam, &recorder.name(), &key).await;
            retired.during(Step::DeleteOldKey(key.clone()), old_key(&key))?;
            recorder.update(|grant| drop(grant.retiring.remove(0)));
        }
        Ok(())
    }

    /// Returns the keys of an interrupted rotation, or of one in which the outcome of writing the Secret is unknown.
    async fn orphans(&self, recorder: &Recorder<'_>, user: &str, listed: &[Listed]) -> Result<Vec<Listed>> {
        let observed = Principal::User.read(&self.iam, user).await;
        let observed = observed.during(Step::Read(IamObject::Principal(Principal::User.id(user))), previous_key())?;
        let mark = observed.and_then(|observed| observed.tags.get(ROTATING).cloned()).unwrap_or_default();
        let unclear = recorder.grant.unclear.as_ref();
        let is_left = |key: &&Listed| is_left_by(&mark, key) || unclear.is_some_and(|unclear| unclear.id == key.id);
        let unused = listed.iter().filter(|key| Some(key.id.as_str()) != recorder.grant.key_id());
        Ok(unused.filter(is_left).cloned().collect())
    }

    /// Returns the orphaned key that is in the Secret and that AWS accepts: its rotation was interrupted after the
    /// write.
    async fn completed(&self, desired: &Desired, cluster: &kube::Client, orphans: &[Listed]) -> Result<Option<Key>> {
        if orphans.is_empty() {
            return Ok(None);
        }
        let read = desired.place.read(cluster).await.during(Step::ReadSecret, Remains::Recorded)?;
        let Some(pair) = read.and_then(|observed| observed.pair) else { return Ok(None) };
        let Some(orphan) = orphans.iter().find(|orphan| orphan.id == pair.id) else { return Ok(None) };
        let works = access_key::works(self.sts, &pair).await;
        Ok(works.then(|| Key::of(&pair, orphan.created_at.clone(), &desired.rotation_trigger)))
    }

    async fn mark(&self, user: &str, listed: &[Listed]) -> Result<()> {
        let value = mark(self.context.clock.time_of_day(), listed);
        let change = Change { set: [(ROTATING.to_owned(), value)].into(), ..Change::default() };
        let marked = iam_user::change_tags(&self.iam, user, &change).await;
        marked.during(Step::TagPrincipal(Principal::User.id(user)), previous_key())
    }

    /// Removes the tag. A failure is only logged: the tag is valid for 15 minutes, and the next rotation overwrites it.
    async fn unmark(&self, user: &str) {
        let change = Change { remove: vec![ROTATING.to_owned()], ..Change::default() };
        if let Err(error) = iam_user::change_tags(&self.iam, user, &change).await {
            tracing::warn!(user, %error, "the tag {ROTATING} could not be removed");
        }
    }
}

fn mark(now: SystemTime, keys: &[Listed]) -> String {
    let words = std::iter::once(timestamp::format(now)).chain(keys.iter().map(|key| key.id.clone()));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether the rotation with this tag created the key.
fn is_left_by(mark: &str, key: &Listed) -> bool {
    let mut words = mark.split(' ');
    let begin = words.next().and_then(timestamp::parse);
    let made = key.created_at.as_deref().and_then(timestamp::parse);
    // In both directions, because the start time is by this machine's clock and the creation time by that of AWS.
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
    fn journal_mark_identifies_orphaned_keys() {
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
