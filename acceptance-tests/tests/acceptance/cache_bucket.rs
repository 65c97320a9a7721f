//! `gitlabspot_cache_bucket`, from outside.

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::json;

const ADDRESS: &str = "gitlabspot_cache_bucket.cache";

#[tokio::test]
async fn lives_from_create_to_destroy() {
    let stage = Stage::new("cache_bucket/life", Engine::opentofu()).await;
    let bucket = stage.namespace.name();
    let workspace = stage.testdata("cache_bucket/guide", json!({ "bucket": bucket })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, bucket, &[]).await;

    workspace.set(&json!({ "expiration_days": 30 }));
    let plan = workspace.plan().await;
    assert_eq!(plan.change(ADDRESS)["actions"], json!(["update"]));
    workspace.apply().await;
    workspace.assert_stable().await;

    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
