//! `gitlabspot_cache_bucket`: the S3 bucket of the runner's distributed cache.
//!
//! A private bucket in which the runner's objects expire. Its parts (public access, ownership, encryption, versioning,
//! policy, lifecycle, tags) are read, compared and repaired each alone, so that a change made by hand shows in the plan
//! and one refused call does not stand in the way of the rest.
//!
//! * create: look whether the name is taken, make the bucket, mark it as unfinished, write the parts, wait until reads
//!   show them, take the mark away. The state has the bucket from before the first request on.
//! * read: everything at once.
//! * update: the parts that differ, one by one.
//! * delete: empty it if that is allowed, delete, wait until it is gone.
//! * import: the bucket's name.

mod empty;
mod error;
mod flatten;
mod parts;
mod plan;
mod schema;
#[cfg(test)]
mod tests;
mod validate;
mod wait;

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use self::error::{Error, Left};
use self::parts::{Found, Part, tagging};
pub use self::schema::{CacheBucket, Encryption, Identity, Protection, RunnerCache, RunnerCacheS3};
use self::validate::Wanted;
use self::wait::{Presence, presence, until_gone, until_there};
use crate::clients::aws::AwsError;
use crate::framework::wait::WaitError;
use crate::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update,
};
use crate::provider::{self, Data};
use crate::resources::propagation::{Attempts, PROPAGATION, accepted};
use crate::resources::tags::{Tags, UNFINISHED};
use crate::resources::{names, timestamp};

const CREATE: Duration = Duration::from_secs(20 * 60);
const UPDATE: Duration = Duration::from_secs(20 * 60);
const DELETE: Duration = Duration::from_secs(60 * 60);

/// The resource `gitlabspot_cache_bucket`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheBucketResource;

impl Resource for CacheBucketResource {
    type Data = Data;
    type Model = CacheBucket;
    type Identity = Identity;
    const TYPE_NAME: &'static str = "gitlabspot_cache_bucket";
    const DESCRIPTION: &'static str = "The S3 bucket of the runner's distributed cache: private, without plain HTTP, and \
         with a lifecycle rule that follows where the runner really puts its objects.\n\n\
         Each part of the bucket (public access, ownership, encryption, versioning, policy, lifecycle, tags) is read back \
         and repaired alone. Lifecycle rules, policy statements and tags of others are left alone.";

    fn validate(&self, config: &CacheBucket, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    async fn plan(&self, context: &Context<Data>, plan: &mut Plan<CacheBucket>) -> Result<(), Diagnostics> {
        let data = context.data()?;
        // What is wrong with the settings is said by the operation that needs them.
        plan::complete(plan, data.clients.region().await.ok(), &data.tags);
        Ok(())
    }

    async fn create(&self, context: &Context<Data>, operation: &mut Create<CacheBucket>) -> Result<(), Diagnostics> {
        Ok(Scene::set(context).await?.create(operation).await?)
    }

    async fn read(&self, context: &Context<Data>, operation: &mut Read<CacheBucket>) -> Result<(), Diagnostics> {
        Ok(Scene::set(context).await?.read(operation).await?)
    }

    async fn update(&self, context: &Context<Data>, operation: &mut Update<CacheBucket>) -> Result<(), Diagnostics> {
        Ok(Scene::set(context).await?.update(operation).await?)
    }

    async fn delete(&self, context: &Context<Data>, operation: &mut Delete<CacheBucket>) -> Result<(), Diagnostics> {
        Ok(Scene::set(context).await?.delete(operation).await?)
    }

    async fn import(&self, _: &Context<Data>, from: Import<Identity>) -> Result<CacheBucket, Diagnostics> {
        let bucket = match from {
            Import::Id(id) => id,
            Import::Identity(identity) => identity.bucket.into_known().unwrap_or_default(),
        };
        if bucket.is_empty() || bucket.contains(['/', ':']) {
            return Err(Diagnostic::error(
                "Invalid import id",
                format!(
                    "{bucket:?} is not the name of a bucket. Import with the name alone, for instance \"ci-cache\"."
                ),
            )
            .into());
        }
        Ok(CacheBucket { bucket: bucket.as_str().into(), id: bucket.into(), ..CacheBucket::default() })
    }

    fn identity(&self, _: &Context<Data>, state: &CacheBucket) -> Option<Identity> {
        state.bucket.known()?;
        Some(Identity { bucket: state.bucket.clone(), region: state.region.clone() })
    }
}

/// Parts to be written.
#[derive(Clone, Copy)]
struct Work<'a> {
    parts: &'a [Part],
    planned: &'a CacheBucket,
    before: Option<&'a CacheBucket>,
    /// When it has to be done.
    end: Instant,
    /// How the message goes on about the other parts.
    other: &'static str,
}

/// Where the story takes place.
struct Scene<'a, D> {
    context: &'a Context<D>,
    s3: &'a Client,
    region: &'a str,
    tags: &'a provider::Tags,
}

impl<'a> Scene<'a, Data> {
    async fn set(context: &'a Context<Data>) -> Result<Self, Diagnostics> {
        let data = context.data()?;
        let s3 = data.clients.s3().await?;
        let region = data.clients.region().await?;
        Ok(Self { context, s3, region, tags: &data.tags })
    }
}

impl<D> Scene<'_, D> {
    async fn create(&self, operation: &mut Create<CacheBucket>) -> Result<(), Error> {
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
        self.set_up(work, &mut state, |state| operation.record(state)).await?;
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
            Ok(Presence::OtherRegion(_)) => Err(Error::Exists { bucket: bucket.to_owned() }),
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
                // The bucket was not there a moment ago. If the request was sent twice, the first one made it.
                if attempts.repeated() && self.is_untouched(bucket).await {
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
        matches!(tags, Ok(found) if found.as_ref().is_none_or(Tags::is_empty))
    }

    /// Repeats a call while a new bucket is not known everywhere.
    async fn patiently<T, F>(&self, call: impl FnMut() -> F) -> Result<T, WaitError<AwsError>>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let passes = |error: &AwsError| matches!(error.code(), Some("NoSuchBucket" | "OperationAborted"));
        accepted(self.context, PROPAGATION, passes, call).await
    }

    /// Writes parts one after the other, as S3 refuses changes of one bucket at the same time, and then waits for all
    /// of them at once.
    async fn set_up(
        &self,
        work: Work<'_>,
        state: &mut CacheBucket,
        mut record: impl FnMut(CacheBucket),
    ) -> Result<(), Error> {
        let Work { parts, planned, before, end, other } = work;
        let wanted = Wanted::of(planned, before);
        let left = || end.saturating_duration_since(self.context.clock.now());
        let (bucket, arn) = (planned.bucket.as_str().unwrap_or_default(), planned.arn.as_str().unwrap_or_default());
        let failed = |part: Part| move |source| Error::Part { bucket: bucket.to_owned(), part, source, other };
        for part in parts {
            part.put(self.context, self.s3, bucket, arn, &wanted, left()).await.map_err(failed(*part))?;
            flatten::take(state, *part, planned);
            record(state.clone());
        }
        let (wanted, left) = (&wanted, &left);
        let settle = |part: &Part| {
            let part = *part;
            async move { part.settle(self.context, self.s3, bucket, wanted, left()).await.map_err(failed(part)) }
        };
        futures::future::try_join_all(parts.iter().map(settle)).await.map(drop)
    }

    async fn read(&self, operation: &mut Read<CacheBucket>) -> Result<(), Error> {
        let bucket = operation.state.bucket.as_str().or(operation.state.id.as_str()).unwrap_or_default().to_owned();
        let failed = |source| Error::Read { bucket: bucket.clone(), source };
        let head = presence(self.s3, &bucket, self.region);
        let expected = (!operation.importing).then(|| Wanted::of(&operation.state, None).lifecycle.if_any());
        let (presence, found) = tokio::join!(head, Found::read(self.context, self.s3, &bucket, expected.as_ref()));
        match presence.map_err(|error| failed(WaitError::Failed(error)))? {
            Presence::Absent if operation.importing => {
                return Err(Error::NothingToImport { bucket, region: self.region.to_owned() });
            }
            Presence::Absent => {
                operation.gone();
                return Ok(());
            }
            Presence::OtherRegion(found) => {
                return Err(Error::OtherRegion { bucket, found, expected: self.region.to_owned() });
            }
            // Someone who may not look may still be able to read the parts.
            Presence::Here | Presence::Forbidden => {}
        }
        let importing = operation.importing.then_some(self.tags);
        let state = &mut operation.state;
        flatten::flatten(state, found.map_err(failed)?, importing);
        plan::identify(state, Some(self.region));
        Ok(())
    }

    async fn update(&self, operation: &mut Update<CacheBucket>) -> Result<(), Error> {
        let prior = operation.prior.clone();
        let mut planned = operation.planned.clone();
        let region = prior.region.as_str().unwrap_or(self.region).to_owned();
        plan::derive(&mut planned, &operation.config, Some(&region), self.tags);
        // Everything that is in the state alone takes effect at once.
        let mut state = CacheBucket {
            protection: prior.protection.clone(),
            encryption: prior.encryption.clone(),
            versioning: prior.versioning.clone(),
            tls_only: prior.tls_only.clone(),
            prefix: prior.prefix.clone(),
            expiration_days: prior.expiration_days.clone(),
            noncurrent_expiration_days: prior.noncurrent_expiration_days.clone(),
            abort_incomplete_multipart_days: prior.abort_incomplete_multipart_days.clone(),
            tags: prior.tags.clone(),
            tags_all: prior.tags_all.clone(),
            ..planned.clone()
        };
        operation.record(state.clone());
        let parts = validate::differing(&prior, &planned);
        let end = self.context.clock.now() + Timeouts::update(&planned.timeouts, UPDATE);
        let work = Work { parts: &parts, planned: &planned, before: Some(&prior), end, other: "changed is" };
        self.set_up(work, &mut state, |state| operation.record(state)).await?;
        operation.record(planned);
        Ok(())
    }

    async fn delete(&self, operation: &mut Delete<CacheBucket>) -> Result<(), Error> {
        let state = &operation.state;
        let bucket = state.bucket.as_str().or(state.id.as_str()).unwrap_or_default().to_owned();
        let timeout = Timeouts::delete(&state.timeouts, DELETE);
        let may_empty = state.force_destroy.or(false);
        let failed = |source| Error::Delete { bucket: bucket.clone(), source };
        let end = self.context.clock.now() + timeout;
        let (mut rounds, mut deleted) = (0, 0);
        loop {
            let delete = || async {
                self.s3.delete_bucket().bucket(&bucket).send().await.map(drop).map_err(AwsError::of("DeleteBucket"))
            };
            let passes = |error: &AwsError| error.code() == Some("OperationAborted");
            match accepted(self.context, PROPAGATION, passes, delete).await {
                Ok(()) => break,
                Err(WaitError::Failed(error)) if error.code() == Some("NoSuchBucket") => return Ok(()),
                Err(WaitError::Failed(error)) if error.code() == Some("BucketNotEmpty") => {
                    if !may_empty {
                        return Err(Error::NotEmpty { bucket });
                    }
                    if rounds == empty::ROUNDS || self.context.clock.now() >= end {
                        return Err(Error::StillFilling { bucket, rounds, deleted });
                    }
                    empty::pause_after(self.context, rounds).await;
                    deleted = empty::empty(self.context, self.s3, &bucket, deleted, end).await?;
                    rounds += 1;
                }
                Err(source) => return Err(failed(source)),
            }
        }
        let left = end.saturating_duration_since(self.context.clock.now());
        until_gone(self.context, self.s3, &bucket, self.region, left).await.map_err(failed)
    }
}
