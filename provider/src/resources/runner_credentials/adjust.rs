//! Changes in place: boundary, tags and policy of user or role, the way to a role, the key and its Secret.

use std::time::Duration;

use super::error::Error;
use super::key_grant::aws;
use super::memory::{Book, Memory};
use super::model::Desired;
use super::principal::Principal;
use super::schema::RunnerCredentials;
use super::{Session, key_grant, principal};

impl Session<'_> {
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
        let (before, desired) = (Desired::of(prior), Desired::of(planned));
        let principal = desired.mode.principal();
        let found = principal::Observed {
            arn: String::new(),
            path: before.settings.path.clone(),
            boundary: before.settings.boundary.clone(),
            tags: before.settings.tags.clone(),
            trust: None,
        };
        let adjusted =
            principal.adjust(self.context, self.iam, &desired.settings.name, &found, &desired.settings).await;
        adjusted
            .map_err(|source| aws(format!("Changing the IAM {}", principal.label()), source, key_grant::IN_STATE))?;
        state.tags = planned.tags.clone();
        state.tags_all = planned.tags_all.clone();
        state.permissions_boundary = planned.permissions_boundary.clone();
        book.write(state, memory);
        if prior.policy_json != planned.policy_json {
            self.put_policy(principal, &desired).await?;
            state.policy_json = planned.policy_json.clone();
            book.write(state, memory);
        }
        if principal == Principal::Role {
            return self.mend_role(prior, planned, state, memory, book).await;
        }
        self.retire(&desired, state, memory, book).await?;
        if planned.access_key_id.is_unknown() {
            Box::pin(self.rotate(&desired, state, memory, book, limit)).await
        } else if (&before.place.labels, &before.place.annotations)
            != (&desired.place.labels, &desired.place.annotations)
        {
            self.relabel(&desired, state, memory).await
        } else {
            Ok(())
        }
    }
}
