//! Making a bucket, and finding out whose it is when that is not clear.

use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use gitlabspot_clients::aws::{Attempts, AwsError};
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Create, Timeouts};

use super::error::{Error, Left};
use super::overwritten::Overwritten;
use super::parts::{Part, tagging};
use super::private::Private;
use super::schema::CacheBucket;
use super::wait::{Presence, presence, until_there};
use super::{CREATE, Session, Work, flatten, plan, validate};
use crate::propagation::accepted;
use crate::tags::{Tags, UNFINISHED};
use crate::{names, timestamp};

/// The region in which S3 takes no location, and answers the create of a bucket that is there and one's own with success.
const FIRST_REGION: &str = "us-east-1";

impl<D> Session<'_, D> {
    pub(super) async fn create(&self, operation: &mut Create<CacheBucket, Private>) -> Result<(), Error> {
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
        plan::derive(&mut planned, &operation.config, Some(self.region), self.endpoint.as_deref(), self.tags);

        let mut state = flatten::bare(&planned);
        // Kept until all is done: an update of one that the user has declared to be sound takes the mark away.
        operation.private.is_unfinished = true;
        operation.record(state.clone());
        let mut marked = known_map(&planned.tags_all).unwrap_or_default();
        marked.insert(UNFINISHED.to_owned(), timestamp::format(self.context.clock.time_of_day()));
        let is_fresh = !self.is_unfinished(&bucket, operation).await?;
        if is_fresh {
            self.make(&bucket, &marked, timeout, operation).await?;
        }
        let failed = |source| Error::Create { bucket: bucket.clone(), source, left: Left::Bucket };
        until_there(self.context, self.s3, &bucket, self.region, timeout).await.map_err(failed)?;
        if is_fresh {
            let complete = || tagging::complete(self.s3, &bucket, &marked);
            self.patiently(complete).await.map_err(failed)?;
        }
        let work = Work { parts: &Part::ALL, planned: &planned, before: None, is_create: true, is_fresh, end };
        let record = |state, overwritten: &Overwritten| {
            operation.private.overwritten = overwritten.clone();
            operation.record(state);
        };
        let lacking = self.set_up(work, &mut state, &mut Overwritten::default(), record).await?;
        operation.private.is_unfinished = false;
        operation.diagnostics.extend(lacking);
        operation.record(planned);
        Ok(())
    }

    /// Whether a bucket of this name is there that an earlier create began; any other bucket of this name is an error.
    async fn is_unfinished(&self, bucket: &str, operation: &mut Create<CacheBucket, Private>) -> Result<bool, Error> {
        let bucket = bucket.to_owned();
        let found = match presence(self.s3, &bucket, self.region).await {
            Ok(Presence::OtherRegion(found)) => Err(Error::TakenInRegion { bucket, found }),
            Ok(Presence::Hidden) => Err(Error::Hidden { bucket, region: self.region.to_owned() }),
            // Elsewhere S3 refuses to make what is there already.
            Ok(Presence::Forbidden) if self.region == FIRST_REGION => Err(Error::Unseen { bucket }),
            Ok(Presence::Absent | Presence::Forbidden) => Ok(false),
            Ok(Presence::Here) => match tagging::read(self.s3, &bucket).await {
                Ok(Some(tags)) if tags.contains_key(UNFINISHED) => Ok(true),
                // Tags that cannot be read are someone else's.
                _ => Err(Error::Exists { bucket }),
            },
            Err(error) => Err(Error::Create { bucket, source: WaitError::Failed(error), left: Left::Nothing }),
        };
        if found.is_err() {
            operation.nothing_was_made();
        }
        found
    }

    /// Makes the bucket with its tags, so that it is marked from its first moment on; without them where a store or a
    /// policy does not allow that.
    async fn make(
        &self,
        bucket: &str,
        tags: &Tags,
        timeout: Duration,
        operation: &mut Create<CacheBucket, Private>,
    ) -> Result<(), Error> {
        let attempts = Attempts::default();
        let constraint = (self.region != FIRST_REGION).then(|| BucketLocationConstraint::from(self.region));
        let create = |tags: Option<&Tags>| {
            let configuration = (constraint.is_some() || tags.is_some()).then(|| {
                let builder = CreateBucketConfiguration::builder().set_location_constraint(constraint.clone());
                builder.set_tags(tags.map(|tags| tagging::expand(tags.clone()))).build()
            });
            let request = self.s3.create_bucket().bucket(bucket).set_create_bucket_configuration(configuration);
            let request = request.customize().interceptor(attempts.clone());
            async move { request.send().await.map(drop).map_err(AwsError::of("CreateBucket")) }
        };
        let passes = |error: &AwsError| error.code() == Some("OperationAborted");
        let made = match accepted(self.context, timeout, passes, || create(Some(tags))).await {
            Err(WaitError::Failed(error)) if may_be_the_tags(&error) => {
                accepted(self.context, timeout, passes, || create(None)).await
            }
            made => made,
        };
        let Err(source) = made else { return Ok(()) };
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

    /// Whether the bucket is as one that was made a moment ago: with the mark, or without any tag.
    async fn is_untouched(&self, bucket: &str) -> bool {
        let tags = self.patiently(|| tagging::read(self.s3, bucket)).await;
        let is_new = |tags: &Tags| tags.contains_key(UNFINISHED) || tags.keys().all(|key| key.starts_with("aws:"));
        matches!(tags, Ok(found) if found.as_ref().is_none_or(is_new))
    }
}

/// Whether the tags of a new bucket may be what was refused: stores that do not know them call the request malformed,
/// and a policy may allow s3:CreateBucket without s3:TagResource.
fn may_be_the_tags(error: &AwsError) -> bool {
    const CODES: [&str; 8] = [
        "AccessDenied",
        "InvalidArgument",
        "InvalidRequest",
        "MalformedXML",
        "MethodNotAllowed",
        "NotImplemented",
        "UnsupportedArgument",
        "XNotImplemented",
    ];
    error.code().is_some_and(|code| CODES.contains(&code))
}
