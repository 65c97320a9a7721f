//! Create, import, update, and repair of every attribute.

use aws_sdk_iam::types::Tag;
use gitlabspot_acceptance_tests::{Account, Stage, Workspace};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, SECRET, guide};

const MODES: [&str; 3] = ["access_key", "irsa", "pod_identity"];
const POWER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";
const READER: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn everything(mode: &str) -> Value {
    let mut all = json!({
        "mode": mode,
        "service_account": "runner",
        "path": "/ci/builds/",
        "permissions_boundary": POWER,
        "tags": { "cost": "1", "both": "ours" },
        "cache_path": "linux",
        "kms_key_arn": "arn:aws:kms:af-south-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    });
    if mode == "access_key" {
        all["service_account"] = Value::Null;
        all["secret_labels"] = json!({ "team": "ci" });
        all["secret_annotations"] = json!({ "note": "for the cache" });
    }
    all
}

fn import_id(stage: &Stage, mode: &str) -> String {
    let namespace = stage.namespace.name();
    if mode == "access_key" {
        format!("{namespace}/{SECRET}:{NAME}")
    } else {
        format!("{namespace}/runner:role/{NAME}")
    }
}

/// Path, permissions boundary and tags in IAM.
async fn found(account: &Account, mode: &str) -> (String, Option<String>, Vec<String>) {
    let (path, boundary, tags) = if mode == "access_key" {
        let user = account.iam().get_user().user_name(NAME).send().await.unwrap().user.unwrap();
        (user.path, user.permissions_boundary, user.tags)
    } else {
        let role = account.iam().get_role().role_name(NAME).send().await.unwrap().role.unwrap();
        (role.path, role.permissions_boundary, role.tags)
    };
    let mut tags: Vec<_> =
        tags.unwrap_or_default().into_iter().map(|tag| format!("{}={}", tag.key(), tag.value())).collect();
    tags.sort();
    (path, boundary.and_then(|boundary| boundary.permissions_boundary_arn), tags)
}

fn of(path: &str, boundary: Option<&str>, tags: &[&str]) -> (String, Option<String>, Vec<String>) {
    (path.to_owned(), boundary.map(str::to_owned), tags.iter().map(|tag| (*tag).to_owned()).collect())
}

/// Changes of the provider, without `User` and `Role` in their names.
fn changes(stage: &Stage) -> Vec<String> {
    stage.account.changes().into_iter().map(|change| change.replace("User", "").replace("Role", "")).collect()
}

async fn change_manually(account: &Account, mode: &str) {
    let iam = account.iam();
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let (changed, foreign) = (tag("cost", "by hand"), tag("theirs", "x"));
    if mode == "access_key" {
        iam.tag_user().user_name(NAME).tags(changed).tags(foreign).send().await.unwrap();
        iam.untag_user().user_name(NAME).tag_keys("both").send().await.unwrap();
        iam.put_user_permissions_boundary().user_name(NAME).permissions_boundary(READER).send().await.unwrap();
        iam.delete_user_policy().user_name(NAME).policy_name("gitlab-runner-cache").send().await.unwrap();
    } else {
        iam.tag_role().role_name(NAME).tags(changed).tags(foreign).send().await.unwrap();
        iam.untag_role().role_name(NAME).tag_keys("both").send().await.unwrap();
        iam.put_role_permissions_boundary().role_name(NAME).permissions_boundary(READER).send().await.unwrap();
        iam.delete_role_policy().role_name(NAME).policy_name("gitlab-runner-cache").send().await.unwrap();
    }
}

async fn destroy_and_verify(stage: &Stage, workspace: &Workspace) {
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// In each mode, credentials with every attribute are created and imported.
#[tokio::test]
async fn every_attribute_is_created_and_imported() {
    for mode in MODES {
        let (stage, workspace) = guide(&format!("attributes_{mode}"), everything(mode)).await;
        workspace.apply().await;
        workspace.assert_stable().await;
        let tags = ["both=ours", "cost=1", "team=ci"];
        assert_eq!(found(&stage.account, mode).await, of("/ci/builds/", Some(POWER), &tags));
        let state = workspace.state().await;
        let (here, there) = if mode == "access_key" { ("user_arn", "role_arn") } else { ("role_arn", "user_arn") };
        assert!(state.resource(ADDRESS)[here].as_str().unwrap().ends_with("/ci/builds/ci-cache"));
        assert_eq!(state.resource(ADDRESS)[there], Value::Null);
        assert_eq!(state.resource(ADDRESS)["id"], import_id(&stage, mode));
        workspace.assert_import(ADDRESS, &import_id(&stage, mode), &[]).await;
        destroy_and_verify(&stage, &workspace).await;
    }
}

/// In each mode, credentials with the required attributes are created and imported.
#[tokio::test]
async fn minimal_configuration_is_imported() {
    for mode in MODES {
        let account = if mode == "access_key" { Value::Null } else { "runner".into() };
        let least = json!({ "mode": mode, "service_account": account });
        let (stage, workspace) = guide(&format!("least_{mode}"), least).await;
        workspace.apply().await;
        workspace.assert_import(ADDRESS, &import_id(&stage, mode), &[]).await;
        destroy_and_verify(&stage, &workspace).await;
    }
}

/// Boundary, tags and policy are updated in place. Another path replaces user or role.
#[tokio::test]
async fn updates_in_place_and_replacement() {
    for mode in MODES {
        let (stage, workspace) = guide(&format!("in_place_{mode}"), everything(mode)).await;
        workspace.apply().await;
        stage.account.forget();
        let other = json!({ "permissions_boundary": READER, "tags": { "cost": "2", "new": "" }, "cache_path": "mac" });
        workspace.set(&other);
        assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!(changes(&stage), ["PutPermissionsBoundary", "Untag", "Tag", "PutPolicy"]);
        let tags = ["cost=2", "new=", "team=ci"];
        assert_eq!(found(&stage.account, mode).await, of("/ci/builds/", Some(READER), &tags));

        stage.account.forget();
        workspace.set(&json!({ "permissions_boundary": null, "tags": null }));
        workspace.apply().await;
        assert_eq!(changes(&stage), ["DeletePermissionsBoundary", "Untag"]);
        assert_eq!(found(&stage.account, mode).await, of("/ci/builds/", None, &["team=ci"]));

        workspace.set(&json!({ "path": "/" }));
        assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
        workspace.apply().await;
        assert_eq!(found(&stage.account, mode).await, of("/", None, &["team=ci"]));
        destroy_and_verify(&stage, &workspace).await;
    }
}

/// Only changes by others are shown and repaired. Additions by others are preserved.
#[tokio::test]
async fn manual_changes_are_reported_and_repaired() {
    for mode in MODES {
        let (stage, workspace) = guide(&format!("by_others_{mode}"), everything(mode)).await;
        workspace.apply().await;
        change_manually(&stage.account, mode).await;
        stage.account.forget();
        let plan = workspace.plan().await;
        assert_eq!(plan.changes()[ADDRESS], ["update"]);
        let before = &plan.change(ADDRESS)["before"];
        assert_eq!((&before["tags"], &before["permissions_boundary"]), (&json!({ "cost": "by hand" }), &json!(READER)));
        assert_eq!(before["policy_json"], Value::Null);
        workspace.apply().await;
        assert_eq!(changes(&stage), ["PutPermissionsBoundary", "Tag", "PutPolicy"]);
        let tags = ["both=ours", "cost=1", "team=ci", "theirs=x"];
        assert_eq!(found(&stage.account, mode).await, of("/ci/builds/", Some(POWER), &tags));
        destroy_and_verify(&stage, &workspace).await;
    }
}
