//! The values of parts of the bucket before their last changes.
//!
//! A change of a bucket's settings takes some time to propagate in S3, a few minutes for lifecycle rules. Until then S3
//! returns either the previous settings or the new ones. The private state therefore contains previous values with the
//! time of the change. If a read within [`WINDOW`] returns one of them, it is outdated and the state is kept. Any other
//! value is a change by others, and so is a previous value after the window. The private state is saved with the state,
//! so that the next run on another machine has it as well.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tfplugin::framework::Diagnostic;
use tfplugin::framework::value::known_map;

use super::model::{Desired, Observed};
use super::parts::{Part, encryption, lifecycle};
use super::schema::CacheBucket;
use super::validate::protected;
use crate::tags::Tags;
use crate::timestamp;

/// How long S3 may return previous values.
pub(super) const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The value of a part.
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
    /// The recorded value of a part.
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

    /// The observed value of a part; `None` if the store does not support it.
    fn observed(part: Part, observed: &Observed) -> Option<Self> {
        match part {
            Part::PublicAccess => observed.public_access_blocked.map(Self::PublicAccess),
            Part::Ownership => observed.bucket_owner_enforced.map(Self::Ownership),
            Part::Encryption => observed.encryption.clone().map(Self::Encryption),
            Part::Versioning => observed.versioning.map(Self::Versioning),
            Part::Policy => observed.tls_only.map(Self::Policy),
            Part::Lifecycle => observed.lifecycle.clone().map(Self::Lifecycle),
            Part::Tags => observed.tags.clone().map(Self::Tags),
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

    /// Whether `observed` is this value. Of tags, only those in this value or in `recorded` are compared, because tags
    /// of others may change at any time.
    fn is(&self, observed: &Self, recorded: &Self) -> bool {
        match (self, observed, recorded) {
            (Self::Tags(before), Self::Tags(observed), Self::Tags(recorded)) => {
                let is_managed = |key: &String| before.contains_key(key) || recorded.contains_key(key);
                observed.iter().filter(|(key, _)| is_managed(key)).eq(before)
            }
            _ => self == observed,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    content: Content,
    /// The time of the change, by the clock of the machine that made it. RFC 3339.
    at: String,
}

/// The values before recent changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PreviousValues(Vec<Entry>);

impl PreviousValues {
    /// Returns the values that S3 may still return. Clocks of machines differ, so that times in the future are
    /// included.
    pub(super) fn recent(&self, now: SystemTime) -> Self {
        let mut kept = self.clone();
        kept.0.retain(|entry| {
            let apart = timestamp::parse(&entry.at).map(|at| now.duration_since(at).unwrap_or_else(|e| e.duration()));
            apart.is_some_and(|apart| apart <= WINDOW)
        });
        kept
    }

    /// Adds the value of a part before it was written.
    pub(super) fn add(&mut self, before: Content, now: SystemTime) {
        self.0.retain(|entry| entry.content != before);
        self.0.push(Entry { content: before, at: timestamp::format(now) });
    }

    /// Whether a part was changed recently, so that a read of it may return the previous value.
    pub(super) fn has(&self, part: Part) -> bool {
        self.0.iter().any(|entry| entry.content.part() == part)
    }

    /// Removes outdated values from `observed`. Returns a warning for each.
    pub(super) fn discard_outdated(
        &self,
        observed: &mut Observed,
        state: &CacheBucket,
        bucket: &str,
    ) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        for part in Part::ALL {
            let (Some(value), recorded) = (Content::observed(part, observed), Content::of(part, state)) else {
                continue;
            };
            if recorded.is(&value, &recorded) {
                continue;
            }
            if let Some(old) = self.0.iter().find(|entry| entry.content.is(&value, &recorded)) {
                observed.forget(part);
                warnings.push(outdated(bucket, part, &old.at));
            }
        }
        warnings
    }
}

fn outdated(bucket: &str, part: Part, at: &str) -> Diagnostic {
    let until = timestamp::parse(at).map_or_else(|| at.to_owned(), |at| timestamp::format(at + WINDOW));
    let detail = format!(
        "S3 returned {} of the bucket {bucket} with the value from before the change at {at}. S3 can return previous \
         values for a few minutes after a change, so that the response is considered outdated and not shown as a \
         difference. If the setting was changed back manually, plans show the difference from {until} on.",
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

    fn kept(contents: &[Content]) -> PreviousValues {
        let mut previous = PreviousValues::default();
        for content in contents {
            previous.add(content.clone(), at("2026-01-01T12:00:00Z"));
        }
        previous
    }

    #[test]
    fn a_previous_value_counts_for_a_window_on_either_side() {
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
            assert_eq!(all.recent(at(now)), PreviousValues::default(), "{now}");
        }
    }

    #[test]
    fn foreign_tags_are_ignored() {
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
