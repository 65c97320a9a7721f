//! Errors during a create: no key remains without a Secret, and no object of others is changed.

use gitlabspot_acceptance_tests::{Fault, Stage, until};
use k8s_openapi::api::core::v1::{ResourceQuota, Secret};
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use super::{ADDRESS, NAME, SECRET, assert_one_key, destroy_and_verify, guide, keys, make_key, user};
use super::{pair, without_namespace};

/// C2: if the response with the secret is lost, once or for as many keys as IAM allows for a user, the orphaned keys
/// are deleted, and one key remains.
#[tokio::test]
async fn lost_key_responses_leave_one_key() {
    for (times, made) in [(1, 2), (2, 3), (40, 0)] {
        let (stage, workspace) = guide(&format!("lost_{times}"), json!({})).await;
        stage.account.inject(Fault::drop_after("iam", "CreateAccessKey").times(times));
        if made > 0 {
            workspace.apply().await;
            let calls = stage.account.calls_of("iam", "CreateAccessKey");
            assert_eq!(calls.iter().filter(|call| call.status == Some(200)).count(), made, "{calls:?}");
        } else {
            let printed = workspace.try_apply().await.failed();
            assert!(printed.contains("Creating an access key for ci-cache failed"), "{printed}");
            assert_eq!(keys(&stage.account).await, []);
            stage.account.forget();
            workspace.apply().await;
        }
        assert_one_key(&stage, &workspace).await;
        destroy_and_verify(&stage, &workspace).await;
    }
}

/// Lost responses and requests before the creation of the key: there is one user with one key.
#[tokio::test]
async fn lost_responses_create_one_user_and_key() {
    let drops = [
        ("user_after", Fault::drop_after("iam", "CreateUser"), 1),
        ("user_before", Fault::drop_before("iam", "CreateUser"), 2),
        // All attempts of the provider fail. The read that follows returns the user.
        ("user_always", Fault::drop_after("iam", "CreateUser"), 11),
        ("policy", Fault::drop_after("iam", "PutUserPolicy"), 2),
        ("key_before", Fault::drop_before("iam", "CreateAccessKey"), 2),
    ];
    for (name, fault, times) in drops {
        let (stage, workspace) = guide(&format!("lost_{name}"), json!({})).await;
        stage.account.inject(fault.times(times));
        workspace.apply().await;
        assert_one_key(&stage, &workspace).await;
        let created = stage.account.changes();
        assert_eq!(created.iter().filter(|action| *action == "CreateUser").count(), 1, "{created:?}");
        destroy_and_verify(&stage, &workspace).await;
    }
}

/// New objects are missing from responses of every service for some time after the create.
#[tokio::test]
async fn eventual_consistency_after_a_create_is_tolerated() {
    let (stage, workspace) = guide("not_shown_yet", json!({})).await;
    let unknown = |action: &str| Fault::error("iam", action, 404, "NoSuchEntity", "The user cannot be found.");
    for action in ["PutUserPolicy", "CreateAccessKey", "ListAccessKeys", "UntagUser", "GetUser", "GetUserPolicy"] {
        stage.account.inject(unknown(action).times(3));
    }
    stage.account.inject(
        Fault::error("sts", "GetCallerIdentity", 403, "InvalidClientTokenId", "The security token is invalid").times(2),
    );
    let printed = workspace.apply().await.prose();
    assert!(!printed.contains("Warning"), "{printed}");
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// Throttling, HTML pages in place of responses, and concurrent changes are retried.
#[tokio::test]
async fn throttling_and_concurrent_changes_are_retried() {
    let (stage, workspace) = guide("trouble", json!({})).await;
    let conflict = |action: &str| Fault::error("iam", action, 409, "ConcurrentModification", "Another change is on");
    for action in ["CreateUser", "PutUserPolicy", "CreateAccessKey", "UntagUser"] {
        stage.account.inject(conflict(action).times(2));
        stage.account.inject(Fault::throttle("iam", action).after(2).times(2));
    }
    stage.account.inject(Fault::page("iam", "GetUser", 502).times(2));
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// Prevents Secrets in the namespace by a quota.
async fn forbid_secrets(stage: &Stage) {
    let quota = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": "no-secrets" },
        "spec": { "hard": { "secrets": "0" } },
    });
    let quotas = stage.kubernetes.api::<ResourceQuota>(stage.namespace.name());
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    let is_enforced = async || quotas.get("no-secrets").await.unwrap().status.is_some_and(|it| it.hard.is_some());
    until("the quota is enforced", is_enforced).await;
}

async fn allow_secrets(stage: &Stage) {
    let quotas = stage.kubernetes.api::<ResourceQuota>(stage.namespace.name());
    quotas.delete("no-secrets", &DeleteParams::default()).await.unwrap();
}

/// C4: if the Secret of a new key cannot be written, the key is deleted each time. A later apply completes the create.
#[tokio::test]
async fn refused_secret_deletes_the_new_key() {
    let (stage, workspace) = guide("secret_refused", json!({})).await;
    forbid_secrets(&stage).await;
    for _ in 0..3 {
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("Writing the Secret failed") && printed.contains("was deleted."), "{printed}");
        assert_eq!(keys(&stage.account).await, []);
        assert_eq!(workspace.state().await.resource(ADDRESS)["access_key_id"], json!(null));
    }
    allow_secrets(&stage).await;
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;

    // A key in use is kept if it cannot be replaced.
    let before = pair(&stage).await;
    stage.kubernetes.api::<Secret>(stage.namespace.name()).delete(SECRET, &DeleteParams::default()).await.unwrap();
    forbid_secrets(&stage).await;
    for _ in 0..3 {
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("The previous key remains in use"), "{printed}");
        assert_eq!(keys(&stage.account).await, [(before.0.clone(), true)]);
    }
    allow_secrets(&stage).await;
    workspace.apply().await;
    assert_ne!(assert_one_key(&stage, &workspace).await, before.0);
    destroy_and_verify(&stage, &workspace).await;
}

/// C4: while the API server is down, repeated applies create no key without a Secret.
#[tokio::test]
async fn no_key_is_created_while_the_cluster_is_down() {
    let down = json!({ "host": "https://127.0.0.1:1", "token": "any" });
    let (stage, workspace) = guide("cluster_down", json!({ "kubernetes": down })).await;
    for _ in 0..3 {
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("cannot be reached") && printed.contains("Nothing was created"), "{printed}");
    }
    assert_eq!(stage.account.changes(), [""; 0]);
    stage.assert_nothing_remains().await;

    // Neither is a key replaced: the old key remains in the Secret.
    workspace.set(&json!({ "kubernetes": { "cluster_name": "prod" } }));
    workspace.apply().await;
    let before = pair(&stage).await;
    stage.account.forget();
    workspace.set(&json!({ "kubernetes": down, "rotation_trigger": "2" }));
    let printed = workspace.run(&["apply", "-refresh=false", "-input=false", "-auto-approve"]).await.failed();
    assert!(printed.contains("The previous key remains in use"), "{printed}");
    assert_eq!((stage.account.changes(), pair(&stage).await), (vec![], before));
    workspace.set(&json!({ "kubernetes": { "cluster_name": "prod" } }));
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C14: SIGKILL between the creation of user and key, without a state. The next apply continues with the user.
#[tokio::test]
async fn crash_before_the_key_adopts_the_user() {
    let (stage, workspace) = guide("crash_before_the_key", json!({})).await;
    stage.account.inject(Fault::throttle("iam", "CreateAccessKey").times(0));
    let running = workspace.begin_apply();
    until("IAM is asked for a key", async || !stage.account.calls_of("iam", "CreateAccessKey").is_empty()).await;
    let _ = running.kill().await;
    assert!(!workspace.state().await.contains(ADDRESS));
    let before = user(&stage.account).await.unwrap().user_id;
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(user(&stage.account).await.unwrap().user_id, before);
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C14: SIGKILL after the creation of the key, so that its secret is lost. The next apply deletes that key.
#[tokio::test]
async fn crash_after_the_key_deletes_the_orphaned_key() {
    let (stage, workspace) = guide("crash_after_the_key", json!({})).await;
    stage.account.inject(Fault::throttle("sts", "GetCallerIdentity").times(0));
    let running = workspace.begin_apply();
    until("the key is tried", async || !stage.account.calls_of("sts", "GetCallerIdentity").is_empty()).await;
    let _ = running.kill().await;
    assert!(!workspace.state().await.contains(ADDRESS));
    let lost = keys(&stage.account).await;
    assert_eq!(lost.len(), 1);
    stage.account.forget();
    workspace.apply().await;
    assert_ne!(assert_one_key(&stage, &workspace).await, lost[0].0);
    destroy_and_verify(&stage, &workspace).await;
}

/// A user of others with the same name is not changed, and the error has the command that adopts it.
#[tokio::test]
async fn existing_user_of_others_is_not_changed() {
    let (stage, workspace) = guide("name_is_taken", json!({})).await;
    stage.account.iam().create_user().user_name(NAME).send().await.unwrap();
    let key = make_key(&stage.account).await;
    stage.account.forget();
    let printed = workspace.try_apply().await.failed();
    let id = format!("{}/{SECRET}:{NAME}", stage.namespace.name());
    assert!(printed.contains("An IAM user with the name ci-cache already exists"), "{printed}");
    assert!(printed.contains(&format!("tofu import ADDRESS {id}")), "{printed}");
    // The provider detects the user by the error of CreateUser.
    assert_eq!(stage.account.changes(), ["CreateUser"]);
    assert_eq!(keys(&stage.account).await, [(key.clone(), true)]);
    assert!(!workspace.state().await.contains(ADDRESS));
    super::delete_key(&stage.account, &key).await;
    stage.account.iam().delete_user().user_name(NAME).send().await.unwrap();
    stage.assert_nothing_remains().await;
}

/// A Secret of others with the same name is not changed either.
#[tokio::test]
async fn existing_secret_of_others_is_not_changed() {
    let (stage, workspace) = guide("secret_of_others", json!({})).await;
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let theirs = json!({ "metadata": { "name": SECRET }, "stringData": { "accesskey": "theirs", "secretkey": "x" } });
    let theirs = secrets.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains(&format!("The Secret {}/{SECRET} already exists", stage.namespace.name())), "{printed}");
    assert!(printed.contains("Nothing was created"), "{printed}");
    assert_eq!(stage.account.changes(), [""; 0]);
    assert_eq!(secrets.get(SECRET).await.unwrap(), theirs);
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
}

/// If the namespace does not exist, nothing is created.
#[tokio::test]
async fn missing_namespace_creates_nothing() {
    let (stage, workspace) = without_namespace("no_namespace", json!({})).await;
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("does not exist. Set create_namespace = true"), "{printed}");
    assert_eq!(stage.account.changes(), [""; 0]);
    assert!(!workspace.state().await.contains(ADDRESS));
    stage.assert_nothing_remains().await;
}

/// If the user is refused after its namespace was created, the namespace is in the state, with a configured and with a
/// generated name. A user of others is not in the state.
#[tokio::test]
async fn refused_user_keeps_the_created_namespace_in_the_state() {
    for (name, theirs) in [(None, false), (Some(NAME), true)] {
        let variables = json!({ "name": name, "create_namespace": true });
        let (stage, workspace) = without_namespace(&format!("refused_{theirs}"), variables).await;
        let iam = stage.account.iam();
        if theirs {
            iam.create_user().user_name(NAME).send().await.unwrap();
        } else {
            stage.account.inject(Fault::error("iam", "CreateUser", 403, "AccessDenied", "no iam:CreateUser").times(0));
        }
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("no iam:CreateUser") || printed.contains("already exists"), "{printed}");
        assert!(workspace.state().await.contains(ADDRESS));
        stage.account.forget();
        workspace.destroy().await;
        assert_eq!(user(&stage.account).await.is_some(), theirs);
        if theirs {
            iam.delete_user().user_name(NAME).send().await.unwrap();
        }
        stage.assert_nothing_remains().await;
    }
}

/// A policy that cannot be attached ends the create. The state has the user, and the next apply replaces it.
#[tokio::test]
async fn refused_policy_keeps_the_user_in_the_state() {
    let (stage, workspace) = guide("half_made", json!({})).await;
    stage.account.inject(Fault::error("iam", "PutUserPolicy", 403, "AccessDenied", "no iam:PutUserPolicy").times(0));
    let printed = workspace.try_apply().await.failed();
    assert!(
        printed.contains("no iam:PutUserPolicy") && printed.contains("The objects that were created are in the state"),
        "{printed}"
    );
    assert!(printed.contains("the next apply deletes and recreates it"), "{printed}");
    assert!(workspace.state().await.resource(ADDRESS)["user_arn"].as_str().unwrap().ends_with(":user/ci-cache"));
    assert!(stage.account.calls_of("iam", "CreateAccessKey").is_empty());
    stage.account.forget();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// Names of the users and roles of the test.
async fn names(stage: &Stage) -> Vec<String> {
    let iam = stage.account.iam();
    let users = iam.list_users().send().await.unwrap().users;
    let roles = iam.list_roles().send().await.unwrap().roles;
    let names = users.into_iter().map(|user| user.user_name).chain(roles.into_iter().map(|role| role.role_name));
    names.filter(|name| name.starts_with("gitlab-runner-cache-") || name.starts_with("ci-")).collect()
}

/// C14: SIGKILL with a generated name. The next apply generates the same name and continues.
#[tokio::test]
async fn crash_with_a_generated_name_continues_with_it() {
    for (mode, service, action) in [
        ("access_key", "iam", "CreateAccessKey"),
        ("irsa", "iam", "PutRolePolicy"),
        ("pod_identity", "eks", "CreatePodIdentityAssociation"),
    ] {
        for prefix in [json!(null), json!("ci-")] {
            let test = format!("killed_made_up_{mode}_{}", prefix.is_null());
            let account = if mode == "access_key" { json!(null) } else { json!("runner") };
            let variables = json!({ "name": null, "name_prefix": prefix, "mode": mode, "service_account": account });
            let (stage, workspace) = guide(&test, variables).await;
            stage.account.inject(Fault::throttle(service, action).times(0));
            let running = workspace.begin_apply();
            until("the call is made", async || !stage.account.calls_of(service, action).is_empty()).await;
            let _ = running.kill().await;
            assert!(!workspace.state().await.contains(ADDRESS));
            let begun = names(&stage).await;
            assert_eq!(begun.len(), 1);
            stage.account.forget();
            workspace.apply().await;
            workspace.assert_stable().await;
            assert_eq!(names(&stage).await, begun);
            assert_eq!(workspace.state().await.resource(ADDRESS)["name"], begun[0]);
            workspace.destroy().await;
            stage.assert_nothing_remains().await;
        }
    }
}

/// If a generated name already exists, another one is generated.
#[tokio::test]
async fn existing_generated_name_is_generated_again() {
    let variables = json!({ "name": null, "name_prefix": "ci-", "mode": "irsa", "service_account": "runner" });
    let (stage, workspace) = guide("made_up_taken", variables).await;
    workspace.apply().await;
    let first = names(&stage).await;
    // Removed from the state without deletion, so that it belongs to others now.
    let _ = workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(names(&stage).await.len(), 2);
    workspace.destroy().await;
    assert_eq!(names(&stage).await, first);
    let iam = stage.account.iam();
    iam.delete_role_policy().role_name(&first[0]).policy_name("gitlab-runner-cache").send().await.unwrap();
    iam.delete_role().role_name(&first[0]).send().await.unwrap();
    stage.assert_nothing_remains().await;
}
