//! Faults of the API server while a key is written: no key is lost, and no key remains without a Secret.

use gitlabspot_acceptance_tests::{Fault, KubernetesFault, Output, Running, Stage, until};
use serde_json::json;

use super::{ADDRESS, SECRET, assert_one_key, destroy_and_verify, guide, keys, pair};

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// URL path of the Secret.
fn path() -> String {
    format!("/secrets/{SECRET}")
}

fn made_keys(stage: &Stage) -> usize {
    stage.account.calls_of("iam", "CreateAccessKey").len()
}

/// C19: one request fails in a create, in rotations and in a destroy, with another fault in each. It is retried, and
/// each operation creates one key.
#[tokio::test]
async fn transient_api_server_failures_are_retried() {
    let (stage, workspace) = guide("faults_that_pass", json!({})).await;
    let proxy = stage.kubernetes_faults();
    let secret = path();
    proxy.inject(KubernetesFault::error("GET", &secret, 503, "ServiceUnavailable", "later"));
    proxy.inject(KubernetesFault::drop_after("PATCH", &secret));
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    let faults = [
        KubernetesFault::error("PATCH", &secret, 503, "ServiceUnavailable", "later").retry_after(1),
        KubernetesFault::error("PATCH", &secret, 409, "Conflict", MODIFIED),
        KubernetesFault::unauthorized("PATCH", &secret),
        KubernetesFault::cut("PATCH", &secret),
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        proxy.forget();
        proxy.inject(fault);
        workspace.set(&json!({ "rotation_trigger": round.to_string() }));
        workspace.apply().await;
        let sent = proxy.calls_of("PATCH", &secret);
        assert!(sent.len() == 2 && sent[0].fault.is_some(), "{sent:?}");
        assert_eq!(made_keys(&stage), round + 2);
        assert_one_key(&stage, &workspace).await;
    }
    workspace.assert_stable().await;
    proxy.forget();
    proxy.inject(KubernetesFault::page("GET", &secret, 502));
    proxy.inject(KubernetesFault::drop_after("DELETE", &secret));
    destroy_and_verify(&stage, &workspace).await;
    assert_eq!(proxy.calls_of("DELETE", &secret).len(), 2);
}

/// C19: if the Secret permanently cannot be written or deleted, a create and a rotation delete their new key, and a
/// destroy deletes nothing. The next apply completes each.
#[tokio::test]
async fn permanent_secret_failures_roll_back_the_key() {
    let (stage, workspace) = guide("faults_that_stay", json!({})).await;
    let proxy = stage.kubernetes_faults();
    let fails = |method: &str| KubernetesFault::error(method, &path(), 503, "ServiceUnavailable", "later").times(0);
    proxy.inject(fails("PATCH"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Writing the Secret failed") && printed.contains("was deleted."), "{printed}");
    assert_eq!((keys(&stage.account).await, stage.namespace.objects().await), (vec![], vec![]));
    proxy.forget();
    workspace.apply().await;
    let before = pair(&stage).await;
    assert_one_key(&stage, &workspace).await;

    proxy.inject(fails("PATCH"));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("The previous key remains in use"), "{printed}");
    assert_eq!((pair(&stage).await, keys(&stage.account).await), (before.clone(), vec![(before.0.clone(), true)]));
    proxy.forget();

    // The API server fails while the provider waits for the propagation of the key in AWS.
    stage.account.inject(Fault::latency("sts", "GetCallerIdentity", 1000).times(0));
    let made = made_keys(&stage);
    let running = workspace.begin_apply();
    until("a key is made", async || made_keys(&stage) > made).await;
    proxy.go_down().await;
    let printed = running.output().await.failed();
    assert!(
        printed.contains("cannot be reached")
            && printed.contains("It could not be determined whether the Secret contains the new access key"),
        "{printed}"
    );
    assert_eq!((pair(&stage).await, keys(&stage.account).await.len()), (before.clone(), 2));
    stage.account.forget();
    proxy.come_back();
    workspace.apply().await;
    workspace.assert_stable().await;
    let key = assert_one_key(&stage, &workspace).await;
    assert_ne!(key, before.0);

    proxy.inject(fails("DELETE"));
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains("Deleting the Secret failed") && printed.contains("destroy again"), "{printed}");
    assert_one_key(&stage, &workspace).await;
    proxy.forget();
    destroy_and_verify(&stage, &workspace).await;
}

/// C19: if the write took effect and all responses to it are lost, the Secret is read, because a key in it must not be
/// deleted.
#[tokio::test]
async fn lost_responses_to_a_written_secret_keep_its_key() {
    let (stage, workspace) = guide("faults_hidden", json!({})).await;
    let proxy = stage.kubernetes_faults();
    for trigger in ["1", "2"] {
        proxy.inject(KubernetesFault::drop_after("PATCH", &path()).times(0));
        workspace.set(&json!({ "rotation_trigger": trigger }));
        workspace.apply().await;
        proxy.forget();
        assert_one_key(&stage, &workspace).await;
        workspace.assert_stable().await;
    }
    assert_eq!(made_keys(&stage), 2);
    destroy_and_verify(&stage, &workspace).await;
}

/// C19: if the write took effect, all responses are lost and the Secret cannot be read, both keys remain until the next
/// apply or destroy has read it.
#[tokio::test]
async fn unknown_outcome_keeps_both_keys() {
    let (stage, workspace) = guide("faults_hidden_outcome", json!({})).await;
    let proxy = stage.kubernetes_faults();
    workspace.apply().await;
    let old = assert_one_key(&stage, &workspace).await;
    let rotated_in_the_dark = async |trigger: &str| {
        workspace.set(&json!({ "rotation_trigger": trigger }));
        workspace.plan().await;
        proxy.inject(KubernetesFault::drop_after("PATCH", &path()).times(0));
        proxy.inject(KubernetesFault::error("GET", &path(), 503, "ServiceUnavailable", "later").times(0));
        let printed = workspace.try_apply_plan().await.failed();
        assert!(
            printed.contains("It could not be determined whether the Secret contains the new access key"),
            "{printed}"
        );
        proxy.forget();
        pair(&stage).await.0
    };
    let new = rotated_in_the_dark("2").await;
    assert_eq!(keys(&stage.account).await, [(old, true), (new.clone(), true)]);
    workspace.apply().await;
    assert_eq!(assert_one_key(&stage, &workspace).await, new);
    workspace.assert_stable().await;
    assert_eq!(made_keys(&stage), 2);

    assert_ne!(rotated_in_the_dark("3").await, new);
    let _ = workspace.run(&["destroy", "-refresh=false", "-auto-approve"]).await.succeeded();
    stage.assert_nothing_remains().await;
}

/// Waits until a request hangs, sends SIGINT, as Ctrl-C does, and asserts that the command ends soon.
async fn interrupted_while_hanging(stage: &Stage, running: Running) -> Output {
    let proxy = stage.kubernetes_faults();
    until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
    let output = running.interrupt_soon(|| proxy.calls().len()).await;
    proxy.forget();
    output
}

/// C20: Ctrl-C while the Secret is written or deleted. The new key is deleted, the old one remains, and the next apply
/// or destroy completes.
#[tokio::test]
async fn interrupt_during_secret_write_or_delete() {
    let (stage, workspace) = guide("faults_interrupted", json!({})).await;
    let proxy = stage.kubernetes_faults();
    let hangs = |method: &str| KubernetesFault::hang(method, &path()).times(0);
    proxy.inject(hangs("PATCH"));
    let printed = interrupted_while_hanging(&stage, workspace.begin_apply()).await.failed();
    assert!(printed.contains("the run was stopped") && printed.contains("was deleted."), "{printed}");
    assert_eq!(keys(&stage.account).await, []);
    workspace.apply().await;
    let before = pair(&stage).await;
    assert_one_key(&stage, &workspace).await;

    proxy.inject(hangs("PATCH"));
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let printed = interrupted_while_hanging(&stage, workspace.begin_apply()).await.failed();
    assert!(printed.contains("The previous key remains in use"), "{printed}");
    assert_eq!((pair(&stage).await, keys(&stage.account).await), (before.clone(), vec![(before.0.clone(), true)]));
    workspace.apply().await;
    assert_ne!(assert_one_key(&stage, &workspace).await, before.0);

    proxy.inject(hangs("DELETE"));
    let printed = interrupted_while_hanging(&stage, workspace.begin_destroy()).await.failed();
    assert!(printed.contains("the run was stopped"), "{printed}");
    assert!(workspace.state().await.contains(ADDRESS));
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}
