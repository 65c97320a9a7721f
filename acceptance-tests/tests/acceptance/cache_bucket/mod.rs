//! Tests of `gitlabspot_cache_bucket`. The numbers B1, B2, ... are those of the scenarios in
//! `docs/contributing/testing.md`.

mod creation;
mod deletion;
mod lifecycle;
mod parts;

use std::collections::BTreeMap;

use aws_sdk_s3::types::{Tag, Tagging};
use gitlabspot_acceptance_tests::{Account, Engine, Stage, Workspace};
use serde_json::{Value, json};

const ADDRESS: &str = "gitlabspot_cache_bucket.cache";

/// Factor that shortens waits which AWS requires.
const SPEED: &str = "50";

/// An initialized workspace in a new account, with a bucket that is named like the namespace.
async fn guide(test: &str, variables: Value) -> (Stage, Workspace, String) {
    let stage = Stage::new(&format!("cache_bucket/{test}"), Engine::opentofu()).await;
    let bucket = stage.namespace.name().to_owned();
    let workspace = stage.testdata("cache_bucket/guide", json!({ "bucket": bucket })).await;
    workspace.set(&variables);
    (stage, workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED), bucket)
}

/// End of every test: a plan is empty, and nothing remains after a destroy.
async fn destroy_and_verify(stage: &Stage, workspace: &Workspace) {
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Number of calls of an operation of S3.
fn count(account: &Account, action: &str) -> usize {
    account.calls_of("s3", action).len()
}

async fn exists(account: &Account, bucket: &str) -> bool {
    account.s3().head_bucket().bucket(bucket).send().await.is_ok()
}

async fn tags(account: &Account, bucket: &str) -> BTreeMap<String, String> {
    let tags = account.s3().get_bucket_tagging().bucket(bucket).send().await;
    tags.map(|found| found.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect()).unwrap_or_default()
}

async fn tag(account: &Account, bucket: &str, tags: &[(&str, &str)]) {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap()).collect();
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
    account.s3().put_bucket_tagging().bucket(bucket).tagging(tagging).send().await.unwrap();
}

async fn make_bucket(account: &Account, bucket: &str) {
    let location =
        aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(account.region().into()).build();
    account.s3().create_bucket().bucket(bucket).create_bucket_configuration(location).send().await.unwrap();
}
