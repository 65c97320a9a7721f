//! Lists buckets of the region.

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::list_resource::Found;
use tfplugin::framework::{Context, Diagnostic, Diagnostics, ListResource, Object, Value};

use super::schema::Identity;
use super::{CacheBucketResource, Session};
use crate::configured::Data;

/// The arguments of a list of buckets.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Filter {
    /// Prefix of the names of the buckets. Defaults to all buckets of the account in the provider's region.
    #[attr(optional)]
    pub bucket_prefix: Value<String>,
}

impl ListResource for CacheBucketResource {
    type Filter = Filter;
    const LIST_DESCRIPTION: &'static str = "Lists all S3 buckets of the account in the provider's region, \
         including those that were not created by this provider.\n\n\
         Requires `s3:ListAllMyBuckets`, and with `include_resource` the permissions of a plan.";

    async fn list(
        &self,
        context: &Context<Data>,
        filter: Filter,
        found: &mut Found<Identity>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context).await?;
        let prefix = filter.bucket_prefix.as_str();
        let mut buckets = session
            .s3
            .list_buckets()
            .bucket_region(session.region)
            .set_prefix(prefix.map(str::to_owned))
            .into_paginator()
            .items()
            .send();
        while !found.is_full() {
            let Some(bucket) = buckets.next().await else { break };
            let bucket = bucket.map_err(AwsError::of("ListBuckets")).map_err(|error| {
                Diagnostic::error("Cannot list buckets", format!("The buckets could not be listed: {error}."))
            })?;
            let name = bucket.name().unwrap_or_default();
            // S3-compatible stores may ignore both filters.
            let is_elsewhere = bucket.bucket_region().is_some_and(|region| region != session.region);
            if is_elsewhere || prefix.is_some_and(|prefix| !name.starts_with(prefix)) {
                continue;
            }
            found.add(Identity { bucket: name.into(), region: session.region.into() }, name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stage;
    use gitlabspot_clients::scripted::{Answer, Script};

    const BUCKETS: &str = "<ListAllMyBucketsResult><Buckets>\
         <Bucket><Name>ci-cache</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>\
         <Bucket><Name>ci-elsewhere</Name><BucketRegion>eu-west-2</BucketRegion></Bucket>\
         <Bucket><Name>ci-old</Name></Bucket>\
         <Bucket><Name>logs</Name></Bucket>\
         </Buckets></ListAllMyBucketsResult>";

    #[tokio::test]
    async fn buckets_of_the_region_are_listed() {
        let script = Script::new([Answer::Http(200, BUCKETS.to_owned())]);
        let stage = Stage::new(CacheBucketResource, script.settings());
        let given = [("bucket_prefix", "ci-".into())];
        let (listed, diagnostics) = stage.list(&CacheBucketResource, &given, 10).await;
        assert!(diagnostics.is_empty());
        let identity = |bucket: &str| Identity { bucket: bucket.into(), region: "eu-west-1".into() }.into_raw();
        let found: Vec<_> = listed.into_iter().map(|listed| (listed.identity, listed.display_name)).collect();
        assert_eq!(found, ["ci-cache", "ci-old"].map(|bucket| (identity(bucket), bucket.to_owned())));
        let asked = &script.requests()[0].uri;
        assert!(asked.contains("bucket-region=eu-west-1") && asked.contains("prefix=ci-"), "{asked}");
    }

    #[tokio::test]
    async fn rejected_request_is_reported() {
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        let script = Script::new([Answer::Http(403, denied.to_owned())]);
        let stage = Stage::new(CacheBucketResource, script.settings());
        let (listed, diagnostics) = stage.list(&CacheBucketResource, &[], 10).await;
        assert!(listed.is_empty());
        let detail = &diagnostics.iter().next().unwrap().detail;
        assert!(detail.starts_with("The buckets could not be listed: ListBuckets: AccessDenied"), "{detail}");
    }
}
