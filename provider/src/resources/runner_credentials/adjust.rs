//! Changes in place: boundary, tags and policy of user or role, the way to a role, the key and its Secret.

use std::time::Duration;

use super::error::Error;
use super::holder::Holder;
use super::key_grant::aws;
use super::memory::{Book, Memory};
use super::schema::RunnerCredentials;
use super::validate::Wanted;
use super::{Scene, holder, key_grant};

impl Scene<'_> {
    /// What differs between `prior` and `planned`, but for the way to the bucket.
    pub(super) async fn adjust(
        &self,
        prior: &RunnerCredentials,
        planned: &RunnerCredentials,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        let (before, wanted) = (Wanted::of(prior), Wanted::of(planned));
        let holder = wanted.mode.holder();
        let found = holder::Found {
            arn: String::new(),
            path: before.settings.path.clone(),
            boundary: before.settings.boundary.clone(),
            tags: before.settings.tags.clone(),
            trust: None,
        };
        let adjusted = holder.adjust(self.context, self.iam, &wanted.settings.name, &found, &wanted.settings).await;
        adjusted.map_err(|source| aws(format!("Changing the IAM {}", holder.word()), source, key_grant::IN_STATE))?;
        state.tags = planned.tags.clone();
        state.tags_all = planned.tags_all.clone();
        state.permissions_boundary = planned.permissions_boundary.clone();
        book.write(state, memory);
        if prior.policy_json != planned.policy_json {
            self.put_policy(holder, &wanted).await?;
            state.policy_json = planned.policy_json.clone();
            book.write(state, memory);
        }
        if holder == Holder::Role {
            return self.mend_role(prior, planned, state, memory, book).await;
        }
        self.retire(&wanted, state, memory, book).await?;
        if planned.access_key_id.is_unknown() {
            Box::pin(self.rotate(&wanted, state, memory, book, limit)).await
        } else if (&before.place.labels, &before.place.annotations) != (&wanted.place.labels, &wanted.place.annotations)
        {
            self.relabel(&wanted, state, memory).await
        } else {
            Ok(())
        }
    }
}
