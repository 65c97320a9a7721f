//! Rotation: the new key works and is in the Secret before the old key is deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_acceptance_tests::{Fault, Stage, Workspace, until};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::{ADDRESS, NAME, SECRET, assert_one_key, delete_key, destroy_and_verify, guide, keys, make_key, pair};

/// Asserts that a plan shows a rotation with this reason, and that the apply replaces the key by a different one.
/// Returns its ID.
async fn rotates(stage: &Stage, workspace: &Workspace, reason: &str) -> String {
    let before = workspace.state().await.resource(ADDRESS)["access_key_id"].clone();
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    let printed = plan.output().prose();
    assert!(printed.contains("Access key will be replaced") && printed.contains(reason), "{printed}");
    assert_eq!(plan.change(ADDRESS)["after_unknown"]["secret_hash"], true);
    let hash = workspace.state().await.resource(ADDRESS)["secret_hash"].clone();
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    let key = assert_one_key(stage, workspace).await;
    assert_ne!(before, key);
    assert_ne!(workspace.state().await.resource(ADDRESS)["secret_hash"], hash);
    key
}

/// C5, C6, C7: a Secret or a key that was deleted, changed or deactivated manually causes a rotation, as does a changed
/// trigger. The old key no longer exists afterwards.
#[tokio::test]
async fn every_reason_plans_a_rotation() {
    let (stage, workspace) = guide("reasons", json!({})).await;
    workspace.apply().await;
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let iam = stage.account.iam();

    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    let key = rotates(&stage, &workspace, "The Secret was deleted").await;

    delete_key(&stage.account, &key).await;
    let key = rotates(&stage, &workspace, &format!("The access key {key} no longer exists")).await;

    for part in ["accesskey", "secretkey"] {
        let changed = json!({ "data": { part: STANDARD.encode("not the right one") } });
        secrets.patch(SECRET, &PatchParams::default(), &Patch::Merge(changed)).await.unwrap();
        let _ = rotates(&stage, &workspace, "The Secret was changed outside of this configuration").await;
    }
    let removed = json!({ "data": { "secretkey": null } });
    secrets.patch(SECRET, &PatchParams::default(), &Patch::Merge(removed)).await.unwrap();
    let last = rotates(&stage, &workspace, "The Secret was changed outside of this configuration").await;
    assert_ne!(last, key);

    iam.update_access_key().user_name(NAME).access_key_id(&last).status("Inactive".into()).send().await.unwrap();
    let _ = rotates(&stage, &workspace, &format!("The access key {last} was deactivated")).await;

    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = rotates(&stage, &workspace, "The value of rotation_trigger has changed").await;
    destroy_and_verify(&stage, &workspace).await;
}

/// A key is rotated when it is older than allowed.
#[tokio::test]
async fn key_is_rotated_by_age() {
    let (stage, workspace) = guide("by_age", json!({ "rotate_after_days": 90 })).await;
    workspace.apply().await;
    stage.account.age_keys(89);
    workspace.assert_stable().await;
    stage.account.age_keys(1);
    let _ = rotates(&stage, &workspace, "The key is older than rotate_after_days").await;
    // A changed limit applies at once.
    stage.account.age_keys(30);
    workspace.assert_stable().await;
    workspace.set(&json!({ "rotate_after_days": 30 }));
    let _ = rotates(&stage, &workspace, "The key is older than rotate_after_days").await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C8: AWS does not accept the new key at once. The old key is used until then, and then deactivated and deleted.
#[tokio::test]
async fn new_key_is_verified_before_the_old_one_is_deleted() {
    let (stage, workspace) = guide("proven_first", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    let unknown =
        Fault::error("sts", "GetCallerIdentity", 403, "InvalidClientTokenId", "The security token is invalid");
    stage.account.inject(unknown.clone().times(5));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = rotates(&stage, &workspace, "The value of rotation_trigger has changed").await;
    let calls: Vec<_> = stage.account.calls().into_iter().filter(|call| call.is_from_provider()).collect();
    let at = |action: &str| calls.iter().position(|call| call.action == action).unwrap();
    let proofs: Vec<_> = calls.iter().enumerate().filter(|(_, call)| call.action == "GetCallerIdentity").collect();
    let statuses: Vec<u16> = proofs.iter().filter_map(|(_, call)| call.status).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 200, 200, 200]);
    let last = proofs.last().unwrap().0;
    assert!(at("CreateAccessKey") < proofs[0].0 && last < at("UpdateAccessKey"), "{calls:?}");
    assert!(at("UpdateAccessKey") < at("DeleteAccessKey"), "{calls:?}");

    // If AWS never accepts the new key, it is deleted, and the old one remains.
    let before = pair(&stage).await;
    stage.account.inject(unknown.times(0));
    workspace.set(&json!({ "rotation_trigger": "3" }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("was deleted. The previous key remains in use"), "{printed}");
    assert_eq!((pair(&stage).await, keys(&stage.account).await), (before.clone(), vec![(before.0, true)]));
    stage.account.forget();
    workspace.apply().await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C3: if the user has two keys and one is not managed, the error has both, and none is deleted.
#[tokio::test]
async fn second_key_of_others_is_an_error() {
    let (stage, workspace) = guide("no_room", json!({})).await;
    workspace.apply().await;
    let (ours, theirs) = (pair(&stage).await.0, make_key(&stage.account).await);
    workspace.assert_stable().await;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let printed = workspace.try_apply().await.failed();
    assert!(
        printed.contains("Too many access keys") && printed.contains(&ours) && printed.contains(&theirs),
        "{printed}"
    );
    assert_eq!(keys(&stage.account).await, [(ours.clone(), true), (theirs.clone(), true)]);
    assert_eq!(pair(&stage).await.0, ours);
    delete_key(&stage.account, &theirs).await;
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C2: after lost responses in a rotation, only orphaned keys are deleted, and not the key in use.
#[tokio::test]
async fn lost_key_responses_delete_only_orphaned_keys() {
    let (stage, workspace) = guide("rotation_lost", json!({})).await;
    workspace.apply().await;
    stage.account.inject(Fault::drop_after("iam", "CreateAccessKey").times(1));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = rotates(&stage, &workspace, "The value of rotation_trigger has changed").await;
    destroy_and_verify(&stage, &workspace).await;
}

/// An old key that cannot be deleted remains recorded, and the next apply deletes it.
#[tokio::test]
async fn undeletable_old_key_is_deleted_by_the_next_apply() {
    let (stage, workspace) = guide("old_key_stays", json!({})).await;
    workspace.apply().await;
    let busy = |action: &str| Fault::error("iam", action, 409, "ConcurrentModification", "Another change is on");
    stage.account.inject(busy("UpdateAccessKey").times(2));
    stage.account.inject(Fault::error("iam", "DeleteAccessKey", 403, "AccessDenied", "no iam:DeleteAccessKey"));
    let old = pair(&stage).await.0;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("no iam:DeleteAccessKey") && printed.contains("The new key is in use"), "{printed}");
    assert_eq!(keys(&stage.account).await[0], (old.clone(), false));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    let printed = plan.output().prose();
    assert!(printed.contains("Old access keys will be deleted") && printed.contains(&old), "{printed}");
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(stage.account.changes(), ["UpdateAccessKey", "DeleteAccessKey"]);
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// Ctrl-C while the new key is verified. It is deleted, the old one remains, and the next apply rotates.
#[tokio::test]
async fn interrupt_during_rotation() {
    let (stage, workspace) = guide("rotation_interrupted", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    let unknown =
        Fault::error("sts", "GetCallerIdentity", 403, "InvalidClientTokenId", "The security token is invalid");
    stage.account.inject(unknown.times(0));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let running = workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "1").begin_apply();
    until("the key is tried", async || stage.account.calls_of("sts", "GetCallerIdentity").len() > 4).await;
    let printed = running.interrupt().await.failed();
    assert!(printed.contains("cancelled") && printed.contains("was deleted."), "{printed}");
    assert_eq!((pair(&stage).await, keys(&stage.account).await), (before.clone(), vec![(before.0, true)]));
    stage.account.forget();
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C14: SIGKILL while the new key is verified. The next apply deletes that key as an orphan and creates another.
#[tokio::test]
async fn crash_before_the_secret_deletes_the_orphaned_key() {
    let (stage, workspace) = guide("rotation_killed", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    stage.account.forget();
    stage.account.inject(Fault::throttle("sts", "GetCallerIdentity").times(0));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let running = workspace.begin_apply();
    until("the key is tried", async || !stage.account.calls_of("sts", "GetCallerIdentity").is_empty()).await;
    let _ = running.kill().await;
    assert_eq!((pair(&stage).await, keys(&stage.account).await.len()), (before, 2));
    stage.account.forget();
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C14: SIGKILL when the new key is in the Secret and the old one in the state. The new key is in use and kept.
#[tokio::test]
async fn crash_after_the_secret_keeps_the_new_key() {
    let (stage, workspace) = guide("rotation_killed_late", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    stage.account.forget();
    stage.account.inject(Fault::throttle("iam", "UpdateAccessKey").times(0));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let running = workspace.begin_apply();
    until("the old key is turned off", async || !stage.account.calls_of("iam", "UpdateAccessKey").is_empty()).await;
    let _ = running.kill().await;
    let after = pair(&stage).await;
    assert_ne!(after, before);
    assert_eq!(workspace.state().await.resource(ADDRESS)["access_key_id"], before.0);
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(assert_one_key(&stage, &workspace).await, after.0);
    assert_eq!(stage.account.calls_of("iam", "CreateAccessKey").len(), 0);
    destroy_and_verify(&stage, &workspace).await;
}
