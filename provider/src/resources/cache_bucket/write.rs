//! Writes parts of a bucket.

use std::time::Instant;

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;

use super::error::{During, Fault, Result, Step, unsupported};
use super::model::Desired;
use super::parts::{Known, Part, Put, tagging};
use super::previous_values::{Content, PreviousValues};
use super::private::Private;
use super::schema::CacheBucket;
use super::{Session, partial};
use crate::steps::{Fault as _, Operation, Progress, Remains};

/// The parts to write, with their values.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) parts: &'a [Part],
    pub(super) planned: &'a CacheBucket,
    pub(super) before: Option<&'a CacheBucket>,
    /// Whether the operation is a create, so that no plan has shown the current values.
    pub(super) is_create: bool,
    /// Whether the bucket was just created.
    pub(super) is_fresh: bool,
    /// Time at which the operation times out.
    pub(super) end: Instant,
}

impl Work<'_> {
    /// Returns what is known of a part before it is written.
    fn known(&self, part: Part, desired: &Desired, previous: &PreviousValues) -> Known {
        // A bucket of the same name may have been deleted recently, and S3 may still return its settings.
        let is_certain = match part {
            Part::Policy => desired.tls_only,
            Part::Lifecycle => desired.lifecycle.clone().if_any().is_some(),
            Part::Tags => true,
            Part::PublicAccess | Part::Ownership | Part::Encryption | Part::Versioning => false,
        };
        if previous.has(part) || self.is_fresh && is_certain {
            Known::Outdated
        } else if self.is_create {
            Known::Nothing
        } else {
            Known::Differs
        }
    }
}

impl Session<'_> {
    /// Writes parts one after the other, because S3 rejects concurrent changes of a bucket, and records each.
    pub(super) async fn write_parts<O>(&self, work: Work<'_>, progress: &mut Progress<'_, O>) -> Result<()>
    where
        O: Operation<Model = CacheBucket, Private = Private>,
    {
        let desired = Desired::of(work.planned, work.before);
        let bucket = work.planned.bucket.as_str().unwrap_or_default();
        let place = (bucket, work.planned.arn.as_str().unwrap_or_default());
        for part in work.parts.iter().copied() {
            let known = work.known(part, &desired, &progress.operation.private().previous_values);
            let left = self.context.left(work.end);
            match part.put(self.context, self.s3, place, &desired, known, left).await {
                Ok(Put::Written) => {
                    // Reads may return this value for some time.
                    let before = Content::of(part, &progress.state);
                    let now = self.context.clock.time_of_day();
                    progress.operation.private().previous_values.add(before, now);
                }
                Ok(Put::Unchanged) => {}
                Ok(Put::Unsupported(rejection)) => progress.operation.warn(unsupported(bucket, part, &rejection)),
                Err(cause) => return self.refused(bucket, part, cause).await,
            }
            progress.done(|state| partial::written(state, part, work.planned));
        }
        Ok(())
    }

    async fn refused(&self, bucket: &str, part: Part, cause: WaitError<AwsError>) -> Result<()> {
        let is_answer = matches!(cause, WaitError::Failed(_));
        if part == Part::Tags && is_answer && tagging::has_abac(self.s3, bucket).await {
            return Err(Fault::Abac { bucket: bucket.to_owned(), cause }.leaving(Remains::Recorded));
        }
        Err(cause).during(Step::Set(part), bucket, Remains::Recorded)
    }
}
