//! Another key: the new one works and is in the Secret before the old one goes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_acceptance_tests::{Fault, Stage, Workspace, until};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::{ADDRESS, NAME, SECRET, assert_one_key, delete_key, ends_well, guide, keys, make_key, pair};

/// Plans another key for this reason, applies it, and finds that one alone, which is another than before.
async fn rotates(stage: &Stage, workspace: &Workspace, reason: &str) -> String {
    let before = workspace.state().await.resource(ADDRESS)["access_key_id"].clone();
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    let said = plan.output().prose();
    assert!(said.contains("Access key will be replaced") && said.contains(reason), "{said}");
    assert_eq!(plan.change(ADDRESS)["after_unknown"]["secret_hash"], true);
    let hash = workspace.state().await.resource(ADDRESS)["secret_hash"].clone();
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    let key = assert_one_key(stage, workspace).await;
    assert_ne!(before, key);
    assert_ne!(workspace.state().await.resource(ADDRESS)["secret_hash"], hash);
    key
}

/// C5, C6, C7: a Secret or a key that was deleted, changed or turned off by hand plans another key, as a changed trigger
/// does; the old one is gone afterwards.
#[tokio::test]
async fn for_every_reason() {
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
    let _ = rotates(&stage, &workspace, &format!("The access key {last} was turned off")).await;

    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = rotates(&stage, &workspace, "The rotation trigger changed").await;
    ends_well(&stage, &workspace).await;
}

/// A key that is older than it may be is replaced, and not before.
#[tokio::test]
async fn by_age() {
    let (stage, workspace) = guide("by_age", json!({ "rotate_after_days": 90 })).await;
    workspace.apply().await;
    stage.account.age_keys(89);
    workspace.assert_stable().await;
    stage.account.age_keys(1);
    let _ = rotates(&stage, &workspace, "The key is older than rotate_after_days").await;
    // When the limit changes, it counts at once.
    stage.account.age_keys(30);
    workspace.assert_stable().await;
    workspace.set(&json!({ "rotate_after_days": 30 }));
    let _ = rotates(&stage, &workspace, "The key is older than rotate_after_days").await;
    ends_well(&stage, &workspace).await;
}

/// C8: AWS does not know the new key at once: the old one is used until it does, then it is turned off and deleted.
#[tokio::test]
async fn the_new_key_is_proven_first() {
    let (stage, workspace) = guide("proven_first", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    let unknown =
        Fault::error("sts", "GetCallerIdentity", 403, "InvalidClientTokenId", "The security token is invalid");
    stage.account.inject(unknown.clone().times(5));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = rotates(&stage, &workspace, "The rotation trigger changed").await;
    let calls: Vec<_> = stage.account.calls().into_iter().filter(|call| call.is_of_provider()).collect();
    let at = |action: &str| calls.iter().position(|call| call.action == action).unwrap();
    let proofs: Vec<_> = calls.iter().enumerate().filter(|(_, call)| call.action == "GetCallerIdentity").collect();
    let statuses: Vec<u16> = proofs.iter().filter_map(|(_, call)| call.status).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 200, 200, 200]);
    let last = proofs.last().unwrap().0;
    assert!(at("CreateAccessKey") < proofs[0].0 && last < at("UpdateAccessKey"), "{calls:?}");
    assert!(at("UpdateAccessKey") < at("DeleteAccessKey"), "{calls:?}");

    // When it never does, the new key goes again and the old one stays.
    let before = pair(&stage).await;
    stage.account.inject(unknown.times(0));
    workspace.set(&json!({ "rotation_trigger": "3" }));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("was deleted again. The previous key remains in use"), "{said}");
    assert_eq!((pair(&stage).await, keys(&stage.account).await), (before.clone(), vec![(before.0, true)]));
    stage.account.forget();
    workspace.apply().await;
    ends_well(&stage, &workspace).await;
}

/// C3: two keys are there, and one of them is somebody else's: both are named, none is deleted.
#[tokio::test]
async fn no_room_for_a_key() {
    let (stage, workspace) = guide("no_room", json!({})).await;
    workspace.apply().await;
    let (ours, theirs) = (pair(&stage).await.0, make_key(&stage.account).await);
    workspace.assert_stable().await;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("Too many access keys") && said.contains(&ours) && said.contains(&theirs), "{said}");
    assert_eq!(keys(&stage.account).await, [(ours.clone(), true), (theirs.clone(), true)]);
    assert_eq!(pair(&stage).await.0, ours);
    delete_key(&stage.account, &theirs).await;
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    ends_well(&stage, &workspace).await;
}

/// C2: the same lost answers in a rotation; the key in use is none of the orphans.
#[tokio::test]
async fn keys_whose_secret_was_lost() {
    let (stage, workspace) = guide("rotation_lost", json!({})).await;
    workspace.apply().await;
    stage.account.inject(Fault::drop_after("iam", "CreateAccessKey").times(1));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = rotates(&stage, &workspace, "The rotation trigger changed").await;
    ends_well(&stage, &workspace).await;
}

/// An old key that cannot be deleted yet stays known, and goes with the next apply.
#[tokio::test]
async fn the_old_key_stays_for_now() {
    let (stage, workspace) = guide("old_key_stays", json!({})).await;
    workspace.apply().await;
    let busy = |action: &str| Fault::error("iam", action, 409, "ConcurrentModification", "Another change is on");
    stage.account.inject(busy("UpdateAccessKey").times(2));
    stage.account.inject(Fault::error("iam", "DeleteAccessKey", 403, "AccessDenied", "no iam:DeleteAccessKey"));
    let old = pair(&stage).await.0;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("no iam:DeleteAccessKey") && said.contains("The new key is in use"), "{said}");
    assert_eq!(keys(&stage.account).await[0], (old.clone(), false));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    let said = plan.output().prose();
    assert!(said.contains("Old access keys will be deleted") && said.contains(&old), "{said}");
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(stage.account.changes(), ["UpdateAccessKey", "DeleteAccessKey"]);
    assert_one_key(&stage, &workspace).await;
    ends_well(&stage, &workspace).await;
}

/// Ctrl-C while the new key is tried: it goes again, the old one stays, and the next apply rotates.
#[tokio::test]
async fn interrupted() {
    let (stage, workspace) = guide("rotation_interrupted", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    let unknown =
        Fault::error("sts", "GetCallerIdentity", 403, "InvalidClientTokenId", "The security token is invalid");
    stage.account.inject(unknown.times(0));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let running = workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "1").begin_apply();
    until("the key is tried", async || stage.account.calls_of("sts", "GetCallerIdentity").len() > 4).await;
    let said = running.interrupt().await.failed();
    assert!(said.contains("cancelled") && said.contains("was deleted again"), "{said}");
    assert_eq!((pair(&stage).await, keys(&stage.account).await), (before.clone(), vec![(before.0, true)]));
    stage.account.forget();
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    ends_well(&stage, &workspace).await;
}

/// C14: `kill -9` while the new key is tried: the next apply knows that key for an orphan, and makes another.
#[tokio::test]
async fn killed_before_the_secret() {
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
    ends_well(&stage, &workspace).await;
}

/// C14: `kill -9` when the new key is in the Secret and the state still has the old one: the new one is in use, and kept.
#[tokio::test]
async fn killed_after_the_secret() {
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
    ends_well(&stage, &workspace).await;
}
