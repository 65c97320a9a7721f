//! Creates the bucket, or continues with one of an interrupted create.

use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use gitlabspot_clients::aws::{Attempts, AwsError};
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Create, Timeouts};

use super::error::{During, Fault, Result, Step};
use super::parts::{Part, tagging};
use super::previous_values::PreviousValues;
use super::private::Private;
use super::schema::CacheBucket;
use super::wait::{Presence, presence};
use super::write::Work;
use super::{CREATE, Session, partial, plan, validate};
use crate::propagation::accepted;
use crate::steps::{Progress, Remains};
use crate::tags::{Tags, UNFINISHED};
use crate::{names, timestamp};

/// The region in which S3 does not accept a location, and reports success if a bucket of the same account is created
/// again.
const FIRST_REGION: &str = "us-east-1";

impl Session<'_> {
    pub(super) async fn create(&self, operation: &mut Create<CacheBucket, Private>) -> Result<()> {
        let timeout = Timeouts::create(&operation.planned.timeouts, CREATE);
        let end = self.context.clock.now() + timeout;
        let planned = self.named(operation);
        let bucket = planned.bucket.as_str().unwrap_or_default();
        // Set until all parts are written, so that an update after an untaint removes the tag of the unfinished create.
        operation.private = Private { is_unfinished: true, previous_values: PreviousValues::default() };
        // Recorded before the request: the state must contain the bucket even if the response is lost.
        operation.record(partial::created(&planned));
        let is_fresh = self.create_or_continue(bucket, &planned, timeout, operation).await?;
        let progress = &mut Progress::begin(operation, partial::created(&planned));
        let work = Work { parts: &Part::ALL, planned: &planned, before: None, is_create: true, is_fresh, end };
        self.write_parts(work, progress).await?;
        progress.operation.private.is_unfinished = false;
        progress.done(|state| *state = planned);
        Ok(())
    }

    /// Returns the plan with the name of the bucket, and the attributes that are derived from it.
    fn named(&self, operation: &Create<CacheBucket, Private>) -> CacheBucket {
        let mut planned = operation.planned.clone();
        if planned.bucket.known().is_none() {
            let prefix = planned.bucket_prefix.as_str().unwrap_or("gitlab-runner-cache-");
            planned.bucket = names::generated(prefix, validate::SUFFIX).into();
        }
        plan::derive(&mut planned, &operation.config, Some(self.region), self.endpoint.as_deref(), self.tags);
        planned
    }

    /// Creates the bucket, or continues with one of an interrupted create, and waits until it is visible. Returns
    /// whether it was created.
    async fn create_or_continue(
        &self,
        bucket: &str,
        planned: &CacheBucket,
        timeout: Duration,
        operation: &mut Create<CacheBucket, Private>,
    ) -> Result<bool> {
        let mut tags = known_map(&planned.tags_all).unwrap_or_default();
        tags.insert(UNFINISHED.to_owned(), timestamp::format(self.context.clock.time_of_day()));
        let mut created = self.is_unfinished(bucket).await.map(|is_unfinished| !is_unfinished);
        if let Ok(true) = created {
            created = self.create_bucket(bucket, &tags, timeout).await.map(|()| true);
        }
        if let Err(error) = &created
            && matches!(error.remains, Remains::Nothing | Remains::Unsaid)
        {
            operation.nothing_was_made();
        }
        let is_fresh = created?;
        self.await_visible(bucket, timeout).await.during(Step::Create, bucket, Remains::Recorded)?;
        if is_fresh {
            let tagged = self.until_visible(|| tagging::complete(self.s3, bucket, &tags)).await;
            tagged.during(Step::Create, bucket, Remains::Recorded)?;
        }
        Ok(is_fresh)
    }

    /// Whether a bucket of an interrupted create has this name. Any other bucket of this name is an error.
    async fn is_unfinished(&self, bucket: &str) -> Result<bool> {
        let name = bucket.to_owned();
        let fault = match presence(self.s3, bucket, self.region).await {
            Ok(Presence::OtherRegion(observed)) => Fault::TakenInRegion { bucket: name, observed },
            Ok(Presence::Hidden) => Fault::Hidden { bucket: name, region: self.region.to_owned() },
            // In us-east-1 S3 reports success for a bucket that the account owns already, so that the request is not
            // sent. Other regions reject it.
            Ok(Presence::Forbidden) if self.region == FIRST_REGION => Fault::Unknown { bucket: name },
            Ok(Presence::Absent | Presence::Forbidden) => return Ok(false),
            Ok(Presence::Here) => match tagging::read(self.s3, bucket).await {
                Ok(Some(tags)) if tags.contains_key(UNFINISHED) => return Ok(true),
                // A bucket whose tags cannot be read belongs to others.
                _ => Fault::Exists { bucket: name },
            },
            Err(error) => return Err(error).during(Step::Create, bucket, Remains::Nothing),
        };
        Err(fault.into())
    }

    /// Creates the bucket with its tags, so that it has the tag of an unfinished create from the start. If a store or a
    /// policy does not allow that, creates it without tags.
    async fn create_bucket(&self, bucket: &str, tags: &Tags, timeout: Duration) -> Result<()> {
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
        let created = match accepted(self.context, timeout, passes, || create(Some(tags))).await {
            Err(WaitError::Failed(error)) if may_be_the_tags(&error) => {
                accepted(self.context, timeout, passes, || create(None)).await
            }
            created => created,
        };
        match created {
            Ok(()) => Ok(()),
            Err(cause) => self.judge_rejection(bucket, cause, attempts.answer_lost()).await,
        }
    }

    /// Determines whether the bucket was created despite the error, because an earlier response may have been lost.
    async fn judge_rejection(&self, bucket: &str, cause: WaitError<AwsError>, is_answer_lost: bool) -> Result<()> {
        let remains = match &cause {
            WaitError::Failed(error) if error.code() == Some("BucketAlreadyExists") => {
                return Err(Fault::TakenElsewhere { bucket: bucket.to_owned() }.into());
            }
            WaitError::Failed(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {
                // The bucket did not exist before. A lost response may have been that of the create.
                if is_answer_lost && self.is_untouched(bucket).await {
                    return Ok(());
                }
                return Err(Fault::Exists { bucket: bucket.to_owned() }.into());
            }
            WaitError::Failed(error) if error.is_outcome_unknown() => {
                match presence(self.s3, bucket, self.region).await {
                    Ok(Presence::Here) if self.is_untouched(bucket).await => return Ok(()),
                    Ok(Presence::Absent) => Remains::Nothing,
                    _ => Remains::Unknown,
                }
            }
            // A cancellation takes effect between two requests, of which the first was rejected.
            _ => Remains::Nothing,
        };
        Err(cause).during(Step::Create, bucket, remains)
    }

    /// Whether the bucket looks newly created: it has the tag of an unfinished create, or no tags at all.
    async fn is_untouched(&self, bucket: &str) -> bool {
        let tags = self.until_visible(|| tagging::read(self.s3, bucket)).await;
        let is_new = |tags: &Tags| tags.contains_key(UNFINISHED) || tags.keys().all(|key| key.starts_with("aws:"));
        matches!(tags, Ok(tags) if tags.as_ref().is_none_or(is_new))
    }
}

/// Whether the tags in the create request may be the reason for a rejection: S3-compatible stores may not support them,
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
