//! `gitlabspot_cache_bucket`: the S3 bucket of the runner's distributed cache.
//!
//! A private bucket in which the runner's objects expire. Its parts (public access, ownership, encryption, versioning,
//! policy, lifecycle, tags) are read, compared and repaired each alone, so that a change made by hand shows in the plan
//! and one refused call does not stand in the way of the rest.
//!
//! * create: look whether the name is taken, make the bucket with its tags and the mark of a create under way, write the
//!   parts that a new bucket has not anyway, take the mark away with the last of them. The state has the bucket from before
//!   the first request on.
//! * read: everything at once. What S3 shows of before the last changes is left out, see [`overwritten`].
//! * update: the parts that differ, one by one.
//! * delete: empty it if that is allowed, delete, wait until it is gone.
//! * import: the bucket's name.

mod create;
mod empty;
mod error;
mod flatten;
pub mod list;
mod model;
mod overwritten;
mod partial;
mod parts;
mod plan;
mod private;
mod schema;
#[cfg(test)]
mod tests;
mod validate;
mod wait;

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update,
};

use self::error::Error;
use self::model::Desired;
use self::overwritten::{Content, Overwritten};
use self::parts::{Found, Known, Part, Put, tagging};
use self::private::Private;
pub use self::schema::{CacheBucket, Encryption, Identity, Protection, RunnerCache, RunnerCacheS3};
use self::wait::{Presence, presence, until_gone};
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::propagation::{PROPAGATION, accepted};
use crate::provider_tags::ProviderTags;
use crate::unseen::Unseen;

const CREATE: Duration = Duration::from_secs(20 * 60);
const UPDATE: Duration = Duration::from_secs(20 * 60);
const DELETE: Duration = Duration::from_secs(60 * 60);

/// The resource `gitlabspot_cache_bucket`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheBucketResource;

impl Resource for CacheBucketResource {
    type Data = Data;
    type Model = CacheBucket;
    type Private = Private;
    type Identity = Identity;
    const TYPE_NAME: &'static str = "gitlabspot_cache_bucket";
    const DESCRIPTION: &'static str = "Manages the S3 bucket of the runner's distributed cache: private, \
         without access over plain HTTP, and with a lifecycle rule for the location at which the runner stores its \
         objects.\n\n\
         Each part of the bucket (public access block, object ownership, encryption, versioning, policy, lifecycle, \
         tags) is read and updated separately. Lifecycle rules, policy statements and tags of others are kept. \
         Settings that a new bucket has by default are read and not written, so that policies of an organization \
         that deny such calls do not matter.\n\n\
         For a few minutes after a change, S3 may return the previous settings. For five minutes after an update of \
         a part, its previous value is therefore considered outdated, with a warning. If others revert the part \
         within that time, plans show it afterwards. All other changes are shown at once.\n\n\
         The provider also supports other S3-compatible stores (`endpoints` of the provider). Features that a store \
         does not have, such as the public access block, are skipped with a warning.";

    fn validate(&self, config: &CacheBucket, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    async fn plan(&self, context: &Context<Data>, plan: &mut Plan<CacheBucket, Private>) -> Result<(), Diagnostics> {
        let data = context.data()?;
        // What is wrong with the settings is said by the operation that needs them.
        let (region, endpoint) = (data.clients.region().await.ok(), data.clients.s3_endpoint().await.ok().flatten());
        plan::complete(plan, region, endpoint.as_deref(), &data.tags);
        Ok(())
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<CacheBucket, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.create(operation).await?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<CacheBucket, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.read(operation).await?)
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<CacheBucket, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<CacheBucket, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.delete(operation).await?)
    }

    async fn import(&self, context: &Context<Data>, from: Import<Identity>) -> Result<CacheBucket, Diagnostics> {
        let bucket = match from {
            Import::Id(id) => id,
            Import::Identity(Identity { bucket, region }) => {
                let bucket = bucket.into_known().unwrap_or_default();
                let expected = context.data()?.clients.region().await.or_diagnostics()?.to_owned();
                if let Some(found) = region.into_known().filter(|region| *region != expected) {
                    return Err(Error::OtherRegion { bucket, found, expected }.into());
                }
                bucket
            }
        };
        if bucket.is_empty() || bucket.contains(['/', ':']) {
            return Err(Diagnostic::error(
                "Invalid import ID",
                format!("{bucket:?} is not the name of a bucket. Import with the name, for example \"ci-cache\"."),
            )
            .into());
        }
        Ok(CacheBucket { bucket: bucket.as_str().into(), id: bucket.into(), ..CacheBucket::default() })
    }

    fn identity(&self, _: &Context<Data>, state: &CacheBucket, _: &Private) -> Option<Identity> {
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
    /// It is a create, of which no plan has shown what is there.
    is_create: bool,
    /// The bucket was made just now.
    is_fresh: bool,
    /// When it has to be done.
    end: Instant,
}

impl Work<'_> {
    /// What is known of a part before it is written.
    fn known(&self, part: Part, desired: &Desired, overwritten: &Overwritten) -> Known {
        // A bucket of the same name may have been deleted a moment ago, and S3 may tell its settings still.
        let is_certain = match part {
            Part::Policy => desired.tls_only,
            Part::Lifecycle => desired.lifecycle.clone().if_any().is_some(),
            Part::Tags => true,
            Part::PublicAccess | Part::Ownership | Part::Encryption | Part::Versioning => false,
        };
        if overwritten.has(part) || self.is_fresh && is_certain {
            Known::Outdated
        } else if self.is_create {
            Known::Nothing
        } else {
            Known::Differs
        }
    }
}

/// Clients and settings of one operation.
struct Session<'a, D> {
    context: &'a Context<D>,
    s3: &'a Client,
    region: &'a str,
    /// Where S3 is, if it is not AWS's.
    endpoint: Option<String>,
    tags: &'a ProviderTags,
}

impl<'a> Session<'a, Data> {
    async fn connect(context: &'a Context<Data>) -> Result<Self, Diagnostics> {
        let data = context.data()?;
        let s3 = data.clients.s3().await.or_diagnostics()?;
        let region = data.clients.region().await.or_diagnostics()?;
        let endpoint = data.clients.s3_endpoint().await.or_diagnostics()?;
        Ok(Self { context, s3, region, endpoint, tags: &data.tags })
    }
}

impl<D> Session<'_, D> {
    /// Repeats a call while a new bucket is not known everywhere.
    async fn patiently<T, F>(&self, call: impl FnMut() -> F) -> Result<T, WaitError<AwsError>>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let passes = |error: &AwsError| matches!(error.code(), Some("NoSuchBucket" | "OperationAborted"));
        accepted(self.context, PROPAGATION, passes, call).await
    }

    /// Writes parts one after the other, as S3 refuses changes of one bucket at the same time. Returns warnings about what
    /// the store does not have.
    async fn set_up(
        &self,
        work: Work<'_>,
        state: &mut CacheBucket,
        overwritten: &mut Overwritten,
        mut record: impl FnMut(CacheBucket, &Overwritten),
    ) -> Result<Vec<Diagnostic>, Error> {
        let Work { parts, planned, before, is_create, end, .. } = work;
        let desired = Desired::of(planned, before);
        let (bucket, arn) = (planned.bucket.as_str().unwrap_or_default(), planned.arn.as_str().unwrap_or_default());
        let failed = |part: Part, has_abac| {
            let (bucket, is_new) = (bucket.to_owned(), is_create);
            move |source| match has_abac {
                true => Error::Abac { bucket, source, is_new },
                false => Error::Part { bucket, part, source, is_new },
            }
        };
        let mut lacking = Vec::new();
        for part in parts {
            let left = end.saturating_duration_since(self.context.clock.now());
            let known = work.known(*part, &desired, overwritten);
            let put = part.put(self.context, self.s3, (bucket, arn), &desired, known, left).await;
            let has_abac = *part == Part::Tags
                && matches!(put, Err(WaitError::Failed(_)))
                && tagging::has_abac(self.s3, bucket).await;
            match put.map_err(failed(*part, has_abac))? {
                Put::Written => overwritten.note(Content::of(*part, state), self.context.clock.time_of_day()),
                Put::Spared => {}
                Put::Lacking(refusal) => lacking.push(error::lacking(bucket, *part, &refusal)),
            }
            flatten::take(state, *part, planned);
            record(state.clone(), overwritten);
        }
        Ok(lacking)
    }

    async fn read(&self, operation: &mut Read<CacheBucket, Private>) -> Result<(), Error> {
        let bucket = operation.state.bucket.as_str().or(operation.state.id.as_str()).unwrap_or_default().to_owned();
        let failed = |source| Error::Read { bucket: bucket.clone(), source };
        let importing = operation.importing;
        let look = || async {
            let mut unseen = Unseen::unless(importing);
            let (head, found) = (presence(self.s3, &bucket, self.region), Found::read(self.s3, &bucket, &mut unseen));
            match tokio::join!(head, found) {
                // Not everywhere yet, or no longer.
                (Ok(Presence::Here), Err(error)) if error.code() == Some("NoSuchBucket") => Err(error),
                (presence, found) => Ok((presence?, found.map(|found| (found, unseen)))),
            }
        };
        let (presence, found) = self.patiently(look).await.map_err(failed)?;
        match presence {
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
            Presence::Here | Presence::Hidden | Presence::Forbidden => {}
        }
        let (mut found, unseen) = found.map_err(|error| failed(WaitError::Failed(error)))?;
        operation.diagnostics.extend(unseen.warning("cache bucket"));
        let overwritten = operation.private.overwritten.recent(self.context.clock.time_of_day());
        operation.private.overwritten = overwritten.clone();
        operation.diagnostics.extend(overwritten.leave_out(&mut found, &operation.state, &bucket));
        let importing = operation.importing.then_some(self.tags);
        let state = &mut operation.state;
        flatten::flatten(state, found, importing);
        plan::identify(state, Some(self.region), self.endpoint.as_deref());
        Ok(())
    }

    async fn update(&self, operation: &mut Update<CacheBucket, Private>) -> Result<(), Error> {
        let mut prior = operation.prior.clone();
        self.tags.spare(&mut prior.tags_all);
        let mut planned = operation.planned.clone();
        let region = prior.region.as_str().unwrap_or(self.region).to_owned();
        plan::derive(&mut planned, &operation.config, Some(&region), self.endpoint.as_deref(), self.tags);
        let mut state = partial::begun(&prior, &planned);
        operation.record(state.clone());
        let mut parts = validate::differing(&prior, &planned);
        // One whose create failed, and which the user has declared to be sound.
        let is_unfinished = operation.private.is_unfinished;
        if is_unfinished && !parts.contains(&Part::Tags) {
            parts.push(Part::Tags);
        }
        let clock = &self.context.clock;
        let mut overwritten = operation.private.overwritten.recent(clock.time_of_day());
        let end = clock.now() + Timeouts::update(&planned.timeouts, UPDATE);
        let before = (!is_unfinished).then_some(&prior);
        let work = Work { parts: &parts, planned: &planned, before, is_create: false, is_fresh: false, end };
        let record = |state, overwritten: &Overwritten| {
            operation.private.overwritten = overwritten.clone();
            operation.record(state);
        };
        let lacking = self.set_up(work, &mut state, &mut overwritten, record).await?;
        operation.private.is_unfinished = false;
        operation.diagnostics.extend(lacking);
        operation.record(planned);
        Ok(())
    }

    async fn delete(&self, operation: &mut Delete<CacheBucket, Private>) -> Result<(), Error> {
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
