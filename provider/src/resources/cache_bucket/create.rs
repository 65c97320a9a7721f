//! Making a bucket, and finding out whose it is when that is not clear.

use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::error::{Error, Left};
use super::parts::{Part, tagging};
use super::schema::CacheBucket;
use super::wait::{Presence, presence, until_there};
use super::{CREATE, Scene, Work, flatten, plan, validate};
use crate::clients::aws::{Attempts, AwsError};
use crate::framework::wait::WaitError;
use crate::framework::{Create, Timeouts};
use crate::resources::propagation::accepted;
use crate::resources::tags::{Tags, UNFINISHED};
use crate::resources::{names, timestamp};

impl<D> Scene<'_, D> {
    pub(super) async fn create(&self, operation: &mut Create<CacheBucket>) -> Result<(), Error> {
        let timeout = Timeouts::create(&operation.planned.timeouts, CREATE);
        let end = self.context.clock.now() + timeout;
        let mut planned = operation.planned.clone();
        let bucket = match planned.bucket.as_str() {
            Some(name) => name.to_owned(),
            None => {
                names::generated(planned.bucket_prefix.as_str().unwrap_or("gitlab-runner-cache-"), validate::SUFFIX)
            }
        };
        planned.bucket = bucket.as_str().into();
        plan::derive(&mut planned, &operation.config, Some(self.region), self.tags);

        let mut state = flatten::bare(&planned);
        operation.record(state.clone());
        if !self.is_unfinished(&bucket, operation).await? {
            self.make(&bucket, timeout, operation).await?;
        }
        let failed = |source| Error::Create { bucket: bucket.clone(), source, left: Left::Bucket };
        until_there(self.context, self.s3, &bucket, self.region, timeout).await.map_err(failed)?;
        let now = timestamp::format(self.context.clock.time_of_day());
        let mark = || tagging::mark_unfinished(self.s3, &bucket, &now);
        self.patiently(mark).await.map_err(failed)?;
        let work = Work { parts: &Part::ALL, planned: &planned, before: None, end, other: "so is" };
        let lacking = self.set_up(work, &mut state, |state| operation.record(state)).await?;
        operation.diagnostics.extend(lacking);
        self.patiently(|| tagging::mark_finished(self.s3, &bucket)).await.map_err(failed)?;
        operation.record(planned);
        Ok(())
    }

    /// Whether a bucket of this name is there that an earlier create began; any other bucket of this name is an error.
    async fn is_unfinished(&self, bucket: &str, operation: &mut Create<CacheBucket>) -> Result<bool, Error> {
        let failed = |source| Error::Create {
            bucket: bucket.to_owned(),
            source: WaitError::Failed(source),
            left: Left::Nothing,
        };
        let found = match presence(self.s3, bucket, self.region).await {
            Ok(Presence::Absent | Presence::Forbidden) => Ok(false),
            Ok(Presence::OtherRegion(found)) => Err(Error::TakenInRegion { bucket: bucket.to_owned(), found }),
            Ok(Presence::Here) => match tagging::read(self.s3, bucket).await {
                Ok(Some(tags)) if tags.contains_key(UNFINISHED) => Ok(true),
                // Tags that cannot be read are someone else's.
                _ => Err(Error::Exists { bucket: bucket.to_owned() }),
            },
            Err(error) => Err(failed(error)),
        };
        if found.is_err() {
            operation.nothing_was_made();
        }
        found
    }

    /// Sends the request, and finds out what became of it when that is not clear.
    async fn make(&self, bucket: &str, timeout: Duration, operation: &mut Create<CacheBucket>) -> Result<(), Error> {
        let attempts = Attempts::default();
        let constraint = (self.region != "us-east-1").then(|| {
            let location = BucketLocationConstraint::from(self.region);
            CreateBucketConfiguration::builder().location_constraint(location).build()
        });
        let create = || {
            let request = self.s3.create_bucket().bucket(bucket).set_create_bucket_configuration(constraint.clone());
            let request = request.customize().interceptor(attempts.clone());
            async move { request.send().await.map(drop).map_err(AwsError::of("CreateBucket")) }
        };
        let passes = |error: &AwsError| error.code() == Some("OperationAborted");
        let Err(source) = accepted(self.context, timeout, passes, create).await else { return Ok(()) };
        let (error, left) = match &source {
            WaitError::Failed(error) if error.code() == Some("BucketAlreadyExists") => {
                operation.nothing_was_made();
                return Err(Error::TakenElsewhere { bucket: bucket.to_owned() });
            }
            WaitError::Failed(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {
                // The bucket was not there a moment ago. If an answer was lost, it may have been that it was made.
                if attempts.answer_lost() && self.is_untouched(bucket).await {
                    return Ok(());
                }
                operation.nothing_was_made();
                return Err(Error::Exists { bucket: bucket.to_owned() });
            }
            WaitError::Failed(error) if error.is_outcome_unknown() => {
                match presence(self.s3, bucket, self.region).await {
                    Ok(Presence::Here) if self.is_untouched(bucket).await => return Ok(()),
                    Ok(Presence::Absent) => (source, Left::Nothing),
                    _ => (source, Left::Perhaps),
                }
            }
            // A cancel comes between two requests, and the one before was refused.
            _ => (source, Left::Nothing),
        };
        if left == Left::Nothing {
            operation.nothing_was_made();
        }
        Err(Error::Create { bucket: bucket.to_owned(), source: error, left })
    }

    /// Whether nobody has put a tag on the bucket yet, as on one that was made a moment ago.
    async fn is_untouched(&self, bucket: &str) -> bool {
        let tags = self.patiently(|| tagging::read(self.s3, bucket)).await;
        let is_none = |tags: &Tags| tags.keys().all(|key| key.starts_with("aws:"));
        matches!(tags, Ok(found) if found.as_ref().is_none_or(is_none))
    }
}
