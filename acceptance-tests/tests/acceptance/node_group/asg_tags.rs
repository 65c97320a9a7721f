//! Tags of the Auto Scaling Group.

use gitlabspot_acceptance_tests::Fault;
use serde_json::{Value, json};

use super::{ADDRESS, NAME, TEMPLATE, asg, asg_tag, asg_tags, delete_manually, guide, tag_asg, untag_asg};

/// T1, T2: a removed tag is added again by a single request. Tags of others are preserved and are not drift.
#[tokio::test]
async fn removed_asg_tag_is_repaired_and_tags_of_others_are_preserved() {
    let (stage, workspace) = guide("removed_tag", json!({})).await;
    workspace.apply().await;
    let before = asg_tags(&stage.account).await;
    tag_asg(&stage.account, "theirs", "x").await;
    assert!(workspace.plan().await.is_empty());
    let intent = format!("{TEMPLATE}/label/intent");
    untag_asg(&stage.account, &intent).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(stage.account.changes(), ["CreateOrUpdateTags"]);
    let call = &stage.account.calls_of("autoscaling", "CreateOrUpdateTags")[0];
    assert_eq!(call.parameters.to_string().matches(TEMPLATE).count(), 1, "{}", call.parameters);
    workspace.assert_stable().await;
    let mut after = asg_tags(&stage.account).await;
    assert_eq!(after.remove("theirs").as_deref(), Some("x"));
    assert_eq!(after, before);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// T2: an import does not adopt tags of others. Tags that are added to the configuration later are adopted, and removed
/// with it.
#[tokio::test]
async fn import_does_not_adopt_tags_of_others() {
    let (stage, workspace) = guide("taken_over", json!({})).await;
    workspace.apply().await;
    for (key, value) in [("theirs", "x"), ("cost-center", "ci")] {
        let tag = asg_tag(&stage.account, key).await.value(value).propagate_at_launch(true).build();
        stage.account.autoscaling().create_or_update_tags().tags(tag).send().await.unwrap();
    }
    let before = asg_tags(&stage.account).await;
    let _ = workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    let _ = workspace.try_import(ADDRESS, &format!("prod:{NAME}")).await.succeeded();
    stage.account.forget();
    assert!(workspace.plan().await.is_empty());

    workspace.set(&json!({ "asg_tags": { "cost-center": "ci" } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((stage.account.changes(), asg_tags(&stage.account).await), (vec![], before.clone()));

    workspace.set(&json!({ "asg_tags": null }));
    workspace.apply().await;
    assert_eq!(stage.account.changes(), ["DeleteTags"]);
    let mut after = asg_tags(&stage.account).await;
    after.insert("cost-center".to_owned(), "ci".to_owned());
    assert_eq!(after, before);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// T3: the tags are set on the Auto Scaling Group that replaces the old one.
#[tokio::test]
async fn asg_tags_follow_a_replaced_asg() {
    let (stage, workspace) = guide("new_asg", json!({ "asg_tags": { "cost-center": "ci" } })).await;
    workspace.apply().await;
    let before = asg_tags(&stage.account).await;
    delete_manually(&stage.account).await;
    workspace.apply().await;
    assert_eq!(asg_tags(&stage.account).await, before);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// T4: more than fifty tags are refused before anything is created. If tags of others exceed the limit, EC2 refuses the
/// request, and the state has the tags that exist.
#[tokio::test]
async fn more_than_fifty_asg_tags_are_refused() {
    let many = |count: usize| -> Value { (0..count).map(|index| (format!("tag-{index:02}"), json!("x"))).collect() };
    let (stage, workspace) = guide("fifty", json!({ "asg_tags": many(50) })).await;
    let printed = workspace.try_plan().await.unwrap_err().failed();
    assert!(printed.contains("Too many tags"), "{printed}");
    workspace.set(&json!({ "asg_tags": {} }));
    workspace.apply().await;
    for index in 0..10 {
        tag_asg(&stage.account, &format!("theirs-{index}"), "x").await;
    }
    workspace.set(&json!({ "asg_tags": many(35) }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("limit of 50"), "{printed}");
    let state = workspace.state().await;
    let ours = state.resource(ADDRESS)["asg_tags_all"].as_object().unwrap();
    let there = asg_tags(&stage.account).await;
    assert!(ours.iter().all(|(key, value)| there.get(key).map(String::as_str) == value.as_str()), "{ours:?}");
    assert_eq!(ours.len() + 15, there.len());
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// T5: contention and throttling are retried.
#[tokio::test]
async fn contention_and_throttling_are_retried() {
    let (stage, workspace) = guide("contention", json!({})).await;
    let contention = ("ResourceContention", "You already have a pending update to an Amazon EC2 Auto Scaling resource");
    stage.account.inject(Fault::error("autoscaling", "CreateOrUpdateTags", 500, contention.0, contention.1).times(3));
    stage.account.inject(Fault::throttle("autoscaling", "DescribeAutoScalingGroups").times(3));
    workspace.apply().await;
    let tries = stage.account.calls_of("autoscaling", "CreateOrUpdateTags");
    let statuses: Vec<Option<u16>> = tries.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [500, 500, 500, 200].map(Some));
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// T4: at the limit, all tags can be replaced by others.
#[tokio::test]
async fn asg_tags_are_exchanged_at_the_limit() {
    let tags = |name: &str| -> Value { (0..40).map(|index| (format!("{name}-{index:02}"), json!("x"))).collect() };
    let (stage, workspace) = guide("exchanged", json!({ "asg_tags": tags("old") })).await;
    workspace.apply().await;
    assert_eq!(asg_tags(&stage.account).await.len(), 50);
    workspace.set(&json!({ "asg_tags": tags("new") }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(asg_tags(&stage.account).await.keys().filter(|key| key.starts_with("new-")).count(), 40);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// T6: an Auto Scaling Group that no longer exists at destroy is no error.
#[tokio::test]
async fn missing_asg_at_destroy_is_no_error() {
    let (stage, workspace) = guide("gone_asg", json!({ "asg_tags": { "cost-center": "ci" } })).await;
    workspace.apply().await;
    let name = asg(&stage.account).await.auto_scaling_group_name.unwrap();
    let request = stage.account.autoscaling().delete_auto_scaling_group().auto_scaling_group_name(name);
    request.force_delete(true).send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
