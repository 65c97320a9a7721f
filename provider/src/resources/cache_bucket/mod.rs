//! `gitlabspot_cache_bucket`: the S3 bucket of the runner's distributed cache.
//!
//! A private bucket in which the objects of the runner expire. Its parts (public access, ownership, encryption,
//! versioning, policy, lifecycle, tags) are read, compared and written separately, so that the plan shows the drift of
//! each part and a denied call does not prevent the others.
//!
//! * create: checks the name, creates the bucket with its tags and the tag of an unfinished create, waits until it is
//!   visible, and writes its parts. The last part removes the tag. The state contains the bucket before the first
//!   request is sent.
//! * read: reads all parts concurrently, and discards values from before recent changes, see [`previous_values`].
//! * update: writes the parts that differ, one by one.
//! * delete: deletes the objects if `force_destroy` is set, deletes the bucket, and waits until it no longer exists.
//! * import: the name of the bucket.

mod create;
mod delete;
mod error;
mod flatten;
pub mod list;
mod model;
mod object_deletion;
mod partial;
mod parts;
mod plan;
mod previous_values;
mod private;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod update;
mod validate;
mod wait;
mod write;

use std::time::Duration;

use aws_sdk_s3::Client;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Update};

use self::error::{Error, Fault};
use self::private::Private;
pub use self::schema::{CacheBucket, Encryption, Identity, Protection, RunnerCache, RunnerCacheS3};
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::propagation::{PROPAGATION, accepted};
use crate::provider_tags::ProviderTags;
use crate::steps::Remains;

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
        // An unknown region or endpoint is no error here: the operation that needs it reports it.
        let (region, endpoint) = (data.clients.region().await.ok(), data.clients.s3_endpoint().await.ok().flatten());
        plan::complete(plan, region, endpoint.as_deref(), &data.tags);
        Ok(())
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<CacheBucket, Private>,
    ) -> Result<(), Diagnostics> {
        let created = Session::connect(context).await?.create(operation).await;
        Ok(created.map_err(|error| error.of_create(Remains::Incomplete))?)
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
                if let Some(observed) = region.into_known().filter(|region| *region != expected) {
                    return Err(Error::from(Fault::OtherRegion { bucket, observed, expected }).into());
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

/// Clients and settings of one operation.
struct Session<'a> {
    context: &'a Context<Data>,
    s3: &'a Client,
    region: &'a str,
    /// The configured endpoint of S3. `None` for the endpoint of AWS.
    endpoint: Option<String>,
    tags: &'a ProviderTags,
}

impl<'a> Session<'a> {
    async fn connect(context: &'a Context<Data>) -> Result<Self, Diagnostics> {
        let data = context.data()?;
        let s3 = data.clients.s3().await.or_diagnostics()?;
        let region = data.clients.region().await.or_diagnostics()?;
        let endpoint = data.clients.s3_endpoint().await.or_diagnostics()?;
        Ok(Self { context, s3, region, endpoint, tags: &data.tags })
    }
}

impl Session<'_> {
    /// Repeats a call while a new bucket propagates in S3.
    async fn until_visible<T, F>(&self, call: impl FnMut() -> F) -> Result<T, WaitError<AwsError>>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let passes = |error: &AwsError| matches!(error.code(), Some("NoSuchBucket" | "OperationAborted"));
        accepted(self.context, PROPAGATION, passes, call).await
    }
}
