//! What parts of the bucket were before their last changes.
//!
//! S3 needs some time until all of it knows a change of a bucket's settings, a few minutes for lifecycle rules, and until
//! then answers with the old settings and the new ones by turns. So what was overwritten is kept beside the state, with
//! the time: within [`WINDOW`] a read that shows it is taken for an old answer, and the state stays. Whatever else a read
//! shows was changed by someone, and after the window so was this. It travels with the state, so that the next run on
//! another machine knows it as well.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tfplugin::framework::Diagnostic;
use tfplugin::framework::value::known_map;

use super::model::Desired;
use super::parts::{Found, Part, encryption, lifecycle};
use super::schema::CacheBucket;
use super::validate::protected;
use crate::tags::Tags;
use crate::timestamp;

/// How long S3 may answer with what was overwritten.
pub(super) const WINDOW: Duration = Duration::from_secs(5 * 60);

/// What a part was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", content = "was", rename_all = "snake_case")]
pub(super) enum Content {
    PublicAccess(bool),
    Ownership(bool),
    Encryption(encryption::Settings),
    Versioning(bool),
    Policy(bool),
    Lifecycle(Option<lifecycle::Rule>),
    Tags(Tags),
}

impl Content {
    /// What the state says of a part.
    pub(super) fn of(part: Part, state: &CacheBucket) -> Self {
        let desired = || Desired::of(state, None);
        match part {
            Part::PublicAccess => Self::PublicAccess(protected(state, |p| &p.public_access_blocked)),
            Part::Ownership => Self::Ownership(protected(state, |p| &p.bucket_owner_enforced)),
            Part::Encryption => Self::Encryption(desired().encryption),
            Part::Versioning => Self::Versioning(desired().versioning),
            Part::Policy => Self::Policy(desired().tls_only),
            Part::Lifecycle => Self::Lifecycle(desired().lifecycle.if_any()),
            Part::Tags => Self::Tags(known_map(&state.tags_all).unwrap_or_default()),
        }
    }

    /// What was read of a part; `None` where the store does not have it.
    fn found(part: Part, found: &Found) -> Option<Self> {
        match part {
            Part::PublicAccess => found.public_access_blocked.map(Self::PublicAccess),
            Part::Ownership => found.bucket_owner_enforced.map(Self::Ownership),
            Part::Encryption => found.encryption.clone().map(Self::Encryption),
            Part::Versioning => found.versioning.map(Self::Versioning),
            Part::Policy => found.tls_only.map(Self::Policy),
            Part::Lifecycle => found.lifecycle.clone().map(Self::Lifecycle),
            Part::Tags => found.tags.clone().map(Self::Tags),
        }
    }

    fn part(&self) -> Part {
        match self {
            Self::PublicAccess(_) => Part::PublicAccess,
            Self::Ownership(_) => Part::Ownership,
            Self::Encryption(_) => Part::Encryption,
            Self::Versioning(_) => Part::Versioning,
            Self::Policy(_) => Part::Policy,
            Self::Lifecycle(_) => Part::Lifecycle,
            Self::Tags(_) => Part::Tags,
        }
    }

    /// Whether this is what was read, where `ours` is what the state says. Tags of others may come and go meanwhile.
    fn is(&self, found: &Self, ours: &Self) -> bool {
        match (self, found, ours) {
            (Self::Tags(before), Self::Tags(found), Self::Tags(ours)) => {
                let is_ours = |key: &String| before.contains_key(key) || ours.contains_key(key);
                found.iter().filter(|(key, _)| is_ours(key)).eq(before)
            }
            _ => self == found,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    content: Content,
    /// When it was overwritten, by the clock of the machine that did it. RFC 3339.
    at: String,
}

/// What was overwritten within the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Overwritten(Vec<Entry>);

impl Overwritten {
    /// What still counts. Clocks differ: an entry of a clock that is ahead of this one counts as well.
    pub(super) fn recent(&self, now: SystemTime) -> Self {
        let mut kept = self.clone();
        kept.0.retain(|entry| {
            let apart = timestamp::parse(&entry.at).map(|at| now.duration_since(at).unwrap_or_else(|e| e.duration()));
            apart.is_some_and(|apart| apart <= WINDOW)
        });
        kept
    }

    /// Takes note of what a part was before it was written.
    pub(super) fn note(&mut self, before: Content, now: SystemTime) {
        self.0.retain(|entry| entry.content != before);
        self.0.push(Entry { content: before, at: timestamp::format(now) });
    }

    /// Whether a part was written a moment ago, so that a read of it may show what it was before.
    pub(super) fn has(&self, part: Part) -> bool {
        self.0.iter().any(|entry| entry.content.part() == part)
    }

    /// Takes old answers out of what was read. Returns what is to be said about each of them.
    pub(super) fn leave_out(&self, found: &mut Found, state: &CacheBucket, bucket: &str) -> Vec<Diagnostic> {
        let mut said = Vec::new();
        for part in Part::ALL {
            let (Some(read), ours) = (Content::found(part, found), Content::of(part, state)) else { continue };
            if ours.is(&read, &ours) {
                continue;
            }
            if let Some(old) = self.0.iter().find(|entry| entry.content.is(&read, &ours)) {
                found.forget(part);
                said.push(outdated(bucket, part, &old.at));
            }
        }
        said
    }
}

fn outdated(bucket: &str, part: Part, at: &str) -> Diagnostic {
    let until = timestamp::parse(at).map_or_else(|| at.to_owned(), |at| timestamp::format(at + WINDOW));
    let detail = format!(
        "S3 returns {} of the bucket {bucket} as before the change at {at}. This is possible for a few minutes after a \
         change, so it is treated as an outdated response and not as a difference. If the setting was changed back \
         manually, plans show that from {until} on.",
        part.name()
    );
    Diagnostic::warning("Outdated response from S3", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        timestamp::parse(text).unwrap()
    }

    fn kept(contents: &[Content]) -> Overwritten {
        let mut overwritten = Overwritten::default();
        for content in contents {
            overwritten.note(content.clone(), at("2026-01-01T12:00:00Z"));
        }
        overwritten
    }

    #[test]
    fn what_was_overwritten_counts_for_a_window_on_either_side() {
        let settings = encryption::Settings::default();
        let rule = lifecycle::Rule { prefix: "project/".to_owned(), expiration_days: 60, ..lifecycle::Rule::default() };
        let contents = [
            Content::PublicAccess(false),
            Content::Encryption(settings),
            Content::Lifecycle(Some(rule)),
            Content::Lifecycle(None),
            Content::Tags(Tags::from([("a".to_owned(), "1".to_owned())])),
        ];
        let all = kept(&contents);
        for now in ["2026-01-01T11:55:00Z", "2026-01-01T12:00:00Z", "2026-01-01T12:05:00Z"] {
            let found = all.recent(at(now));
            assert_eq!(found.0.iter().map(|entry| entry.content.clone()).collect::<Vec<_>>(), contents, "{now}");
            assert!(found.has(Part::Lifecycle) && !found.has(Part::Policy));
        }
        for now in ["2026-01-01T11:54:59Z", "2026-01-01T12:05:01Z"] {
            assert_eq!(all.recent(at(now)), Overwritten::default(), "{now}");
        }
    }

    #[test]
    fn tags_of_others_do_not_count() {
        let tags = |pairs: &[(&str, &str)]| {
            Content::Tags(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
        };
        let (before, ours) = (tags(&[("a", "1"), ("b", "1")]), tags(&[("a", "2"), ("c", "1")]));
        assert!(before.is(&tags(&[("a", "1"), ("b", "1"), ("theirs", "x")]), &ours));
        for found in [&[("a", "1")][..], &[("a", "3"), ("b", "1")], &[("a", "1"), ("b", "1"), ("c", "1")]] {
            assert!(!before.is(&tags(found), &ours), "{found:?}");
        }
    }
}
