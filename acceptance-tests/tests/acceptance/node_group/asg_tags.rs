//! The tags on the Auto Scaling Group.

use gitlabspot_acceptance_tests::Fault;
use serde_json::{Value, json};

use super::{ADDRESS, NAME, TEMPLATE, asg, asg_tag, asg_tags, delete_behind_its_back, guide, tag_asg, untag_asg};

/// T1, T2: a removed tag comes back alone; tags of others stay, and are no difference.
#[tokio::test]
async fn repaired_one_by_one() {
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
    stage.assert_nothing_left().await;
}

/// T2: an import takes no tag of others for its own. What the configuration then names is taken over, and goes with it.
#[tokio::test]
async fn taken_over_after_an_import() {
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
    stage.assert_nothing_left().await;
}

/// T3: the tags follow to the group that takes the place of the old one.
#[tokio::test]
async fn follow_to_a_new_group() {
    let (stage, workspace) = guide("new_asg", json!({ "asg_tags": { "cost-center": "ci" } })).await;
    workspace.apply().await;
    let before = asg_tags(&stage.account).await;
    delete_behind_its_back(&stage.account).await;
    workspace.apply().await;
    assert_eq!(asg_tags(&stage.account).await, before);
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// T4: more than fifty are refused before anything is made; with tags of others there, EC2 refuses, and the state has
/// those that are there.
#[tokio::test]
async fn more_than_fifty() {
    let many = |count: usize| -> Value { (0..count).map(|index| (format!("tag-{index:02}"), json!("x"))).collect() };
    let (stage, workspace) = guide("fifty", json!({ "asg_tags": many(50) })).await;
    let said = workspace.try_plan().await.unwrap_err().failed();
    assert!(said.contains("Too many tags"), "{said}");
    workspace.set(&json!({ "asg_tags": {} }));
    workspace.apply().await;
    for index in 0..10 {
        tag_asg(&stage.account, &format!("theirs-{index}"), "x").await;
    }
    workspace.set(&json!({ "asg_tags": many(35) }));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("limit of 50"), "{said}");
    let state = workspace.state().await;
    let ours = state.resource(ADDRESS)["asg_tags_all"].as_object().unwrap();
    let there = asg_tags(&stage.account).await;
    assert!(ours.iter().all(|(key, value)| there.get(key).map(String::as_str) == value.as_str()), "{ours:?}");
    assert_eq!(ours.len() + 15, there.len());
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// T5: contention and throttling pass.
#[tokio::test]
async fn contention() {
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
    stage.assert_nothing_left().await;
}

/// T4: with the limit reached, some tags can still take the place of others.
#[tokio::test]
async fn exchanged_at_the_limit() {
    let tags = |name: &str| -> Value { (0..40).map(|index| (format!("{name}-{index:02}"), json!("x"))).collect() };
    let (stage, workspace) = guide("exchanged", json!({ "asg_tags": tags("old") })).await;
    workspace.apply().await;
    assert_eq!(asg_tags(&stage.account).await.len(), 50);
    workspace.set(&json!({ "asg_tags": tags("new") }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(asg_tags(&stage.account).await.keys().filter(|key| key.starts_with("new-")).count(), 40);
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// T6: with the Auto Scaling Group its tags are gone, which is no error.
#[tokio::test]
async fn removed_with_the_group() {
    let (stage, workspace) = guide("gone_asg", json!({ "asg_tags": { "cost-center": "ci" } })).await;
    workspace.apply().await;
    let name = asg(&stage.account).await.auto_scaling_group_name.unwrap();
    let request = stage.account.autoscaling().delete_auto_scaling_group().auto_scaling_group_name(name);
    request.force_delete(true).send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
