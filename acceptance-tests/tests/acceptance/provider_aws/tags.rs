//! `default_tags` and `ignore_tags` of both resources with tags.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{Tag, Tagging};
use gitlabspot_acceptance_tests::Stage;
use serde_json::json;

use super::settings;

const BUCKET: &str = "gitlabspot_cache_bucket.cache[0]";
const NODE_GROUP: &str = "gitlabspot_node_group.build[0]";

/// Ignored tags, by key and by prefix, are preserved and are not drift. Default tags are on every object, and tags of a
/// resource override them. A change of either is an update in place.
#[tokio::test]
async fn default_and_ignored_tags() {
    let (stage, workspace) = settings("tags", json!({ "buckets": 1, "node_groups": 1 })).await;
    workspace.set(&json!({
        "default_tags": { "team": "ci", "stage": "test" },
        "ignore_tags": { "keys": ["audited"], "key_prefixes": ["corp/"] },
        "tags": { "stage": "build" },
    }));
    workspace.apply().await;
    let all = BTreeMap::from([("stage".to_owned(), "build".to_owned()), ("team".to_owned(), "ci".to_owned())]);
    let state = workspace.state().await;
    for address in [BUCKET, NODE_GROUP] {
        assert_eq!(state.resource(address)["tags_all"], json!(all), "{address}");
        assert_eq!(state.resource(address)["tags"], json!({ "stage": "build" }), "{address}");
    }
    assert_eq!(tags(&stage).await, [all.clone(), all.clone()]);

    let theirs = [("audited", "2026"), ("corp/cost-centre", "42")];
    add_tags(&stage, &all, &theirs).await;
    workspace.assert_stable().await;

    workspace.set(&json!({ "default_tags": { "team": "platform" } }));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[BUCKET], ["update"]);
    assert_eq!(plan.changes()[NODE_GROUP], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    let mut wanted = BTreeMap::from([("stage", "build"), ("team", "platform")]);
    wanted.extend(theirs);
    let mut wanted: BTreeMap<String, String> =
        wanted.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    assert_eq!(tags(&stage).await, [wanted.clone(), wanted.clone()]);

    // A managed tag that becomes an ignored one is also preserved.
    let ignored = json!({ "keys": ["audited", "owner"], "key_prefixes": ["corp/"] });
    workspace.set(&json!({ "tags": { "stage": "build", "owner": "ci" } }));
    workspace.apply().await;
    workspace.set(&json!({ "tags": { "stage": "build" }, "ignore_tags": ignored }));
    workspace.apply().await;
    workspace.assert_stable().await;
    wanted.insert("owner".to_owned(), "ci".to_owned());
    assert_eq!(tags(&stage).await, [wanted.clone(), wanted]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

fn bucket(stage: &Stage) -> String {
    format!("{}-0", stage.namespace.name())
}

/// Tags of bucket and node group in AWS.
async fn tags(stage: &Stage) -> [BTreeMap<String, String>; 2] {
    let found = stage.account.s3().get_bucket_tagging().bucket(bucket(stage)).send().await.unwrap();
    let of_bucket = found.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let request = stage.account.eks().describe_nodegroup().cluster_name("prod").nodegroup_name("build-0");
    let group = request.send().await.unwrap().nodegroup.unwrap();
    let of_group = group.tags.unwrap_or_default().into_iter().filter(|(key, _)| key != "gitlabspot/owner").collect();
    [of_bucket, of_group]
}

async fn add_tags(stage: &Stage, all: &BTreeMap<String, String>, theirs: &[(&str, &str)]) {
    let mut set = all.clone();
    set.extend(theirs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let tags = set.iter().map(|(key, value)| Tag::builder().key(key).value(value).build().unwrap()).collect();
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
    stage.account.s3().put_bucket_tagging().bucket(bucket(stage)).tagging(tagging).send().await.unwrap();
    let request = stage.account.eks().describe_nodegroup().cluster_name("prod").nodegroup_name("build-0");
    let arn = request.send().await.unwrap().nodegroup.unwrap().nodegroup_arn;
    let tags = set.into_iter().collect();
    stage.account.eks().tag_resource().set_resource_arn(arn).set_tags(Some(tags)).send().await.unwrap();
}
