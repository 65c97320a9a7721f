//! Switches of the mode: the new access method is created first, and the old one is kept until no pod uses it.

use gitlabspot_acceptance_tests::{Fault, KubernetesFault, Stage, Workspace, until};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, SECRET, assert_one_key, destroy_and_verify, guide, keys, pair, user};

const SERVICE_ACCOUNT: &str = "runner";

fn access_method(mode: &str) -> Value {
    json!({ "mode": mode, "service_account": SERVICE_ACCOUNT })
}

/// Creates a pod that uses an access method like the manager: with the key that the chart mounts, or the role that EKS
/// injects.
async fn run_pod(stage: &Stage, mode: &str, name: &str) {
    let env = |name: &str, value: String| json!([{ "name": name, "value": value }]);
    let role = format!("arn:aws:iam::{}:role/{NAME}", stage.account.id());
    let (env, sources) = match mode {
        "access_key" => (json!([]), json!([{ "secret": { "name": SECRET } }])),
        "irsa" => (env("AWS_ROLE_ARN", role), json!([])),
        _ => (env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials".to_owned()), json!([])),
    };
    let pod = json!({
        "metadata": { "name": name },
        "spec": {
            "serviceAccountName": SERVICE_ACCOUNT,
            "containers": [{ "name": "manager", "image": "runner", "env": env }],
            "volumes": [{ "name": "secrets", "projected": { "sources": sources } }],
        },
    });
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
}

async fn end_pod(stage: &Stage, name: &str) {
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    pods.delete(name, &DeleteParams::default()).await.unwrap();
    until("the pod is gone", async || pods.get_opt(name).await.unwrap().is_none()).await;
}

async fn make_service_account(stage: &Stage, name: &str) {
    let account = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    let accounts = stage.kubernetes.api::<ServiceAccount>(stage.namespace.name());
    accounts.create(&PostParams::default(), &account).await.unwrap();
}

async fn delete_service_account(stage: &Stage, name: &str) {
    let accounts = stage.kubernetes.api::<ServiceAccount>(stage.namespace.name());
    accounts.delete(name, &DeleteParams::default()).await.unwrap();
}

/// Applies credentials in this mode, with a service account for pods.
async fn applied(test: &str, mode: &str) -> (Stage, Workspace) {
    let (stage, workspace) = guide(&format!("switch_{test}"), access_method(mode)).await;
    make_service_account(&stage, SERVICE_ACCOUNT).await;
    workspace.apply().await;
    stage.account.forget();
    (stage, workspace)
}

/// An access method in the attribute `superseded`.
fn shown(stage: &Stage, mode: &str) -> String {
    let namespace = stage.namespace.name();
    match mode {
        "access_key" => format!("IAM user {NAME} with its access key in the Secret {namespace}/{SECRET}"),
        "irsa" => format!("IAM role {NAME} for the service account {namespace}/{SERVICE_ACCOUNT} through IRSA"),
        _ => format!("IAM role {NAME} for the service account {namespace}/{SERVICE_ACCOUNT} through EKS Pod Identity"),
    }
}

async fn superseded(workspace: &Workspace) -> Value {
    workspace.state().await.resource(ADDRESS)["superseded"].clone()
}

/// The access methods that exist in AWS, regardless of the state.
async fn access_methods(stage: &Stage) -> Vec<&'static str> {
    let mut access_methods = Vec::new();
    if user(&stage.account).await.is_some() && !keys(&stage.account).await.is_empty() {
        let key = keys(&stage.account).await[0].0.clone();
        assert_eq!(pair(stage).await.0, key);
        access_methods.push("access_key");
    }
    if let Ok(role) = stage.account.iam().get_role().role_name(NAME).send().await {
        let trust = role.role.unwrap().assume_role_policy_document.unwrap();
        if trust.contains("oidc-provider") {
            access_methods.push("irsa");
        }
        let listed = stage.account.eks().list_pod_identity_associations().cluster_name("prod").send().await.unwrap();
        if trust.contains("pods.eks.amazonaws.com") && !listed.associations().is_empty() {
            access_methods.push("pod_identity");
        }
    }
    access_methods
}

fn sorted<'a>(modes: &[&'a str]) -> Vec<&'a str> {
    let mut modes = modes.to_vec();
    modes.sort_unstable();
    modes
}

async fn destroy_and_assert_nothing_remains(stage: &Stage, workspace: &Workspace) {
    workspace.destroy().await;
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    let _ = pods.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
    delete_service_account(stage, SERVICE_ACCOUNT).await;
    stage.assert_nothing_remains().await;
}

const SWITCHES: [(&str, &str); 6] = [
    ("access_key", "irsa"),
    ("irsa", "pod_identity"),
    ("pod_identity", "access_key"),
    ("access_key", "pod_identity"),
    ("pod_identity", "irsa"),
    ("irsa", "access_key"),
];

/// C23: if no pod uses the old access method, the same apply revokes it after the new one exists.
#[tokio::test]
async fn unused_access_method_is_revoked_at_once() {
    let (stage, workspace) = applied("without_pods", SWITCHES[0].0).await;
    for (from, to) in SWITCHES {
        assert_eq!(access_methods(&stage).await, [from]);
        stage.account.forget();
        workspace.set(&access_method(to));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!((access_methods(&stage).await, superseded(&workspace).await), (vec![to], json!([])));
        let changes = stage.account.changes();
        let at = |action: &str| changes.iter().position(|change| change == action);
        let comes_before =
            |one: &str, other: &str| at(one).is_some_and(|one| at(other).is_some_and(|other| one < other));
        match (from, to) {
            ("access_key", _) => assert!(comes_before("PutRolePolicy", "DeleteAccessKey"), "{changes:?}"),
            (_, "access_key") => assert!(comes_before("CreateAccessKey", "DeleteRole"), "{changes:?}"),
            _ => assert_eq!((at("CreateRole"), at("DeleteRole")), (None, None), "{changes:?}"),
        }
    }
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// C23: an old access method that a pod uses is kept as superseded until the pod ends. The next apply revokes it.
#[tokio::test]
async fn used_access_method_is_kept_as_superseded() {
    let (stage, workspace) = applied("with_a_pod", SWITCHES[0].0).await;
    for (from, to) in SWITCHES {
        run_pod(&stage, from, "manager").await;
        workspace.set(&access_method(to));
        let printed = workspace.apply().await.prose();
        assert!(printed.contains("Old credentials kept") && printed.contains("manager"), "{printed}");
        workspace.assert_stable().await;
        let both = sorted(&[from, to]);
        assert_eq!((access_methods(&stage).await, superseded(&workspace).await), (both, json!([shown(&stage, from)])));
        assert_eq!(workspace.state().await.resource(ADDRESS)["mode"], to);

        end_pod(&stage, "manager").await;
        let plan = workspace.plan().await;
        assert_eq!(plan.changes()[ADDRESS], ["update"]);
        assert_eq!(plan.change(ADDRESS)["after"]["superseded"], json!([]));
        let printed = plan.output().prose();
        assert!(
            printed.contains("Old credentials will be revoked") && printed.contains(&shown(&stage, from)),
            "{printed}"
        );
        stage.account.forget();
        let _ = workspace.try_apply_plan().await.succeeded();
        workspace.assert_stable().await;
        assert_eq!((access_methods(&stage).await, superseded(&workspace).await), (vec![to], json!([])));
        let made = ["CreateUser", "CreateAccessKey", "CreateRole", "CreatePodIdentityAssociation"];
        let changes = stage.account.changes();
        assert!(!changes.iter().any(|change| made.contains(&change.as_str())), "{changes:?}");
    }
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// C23: a switch back to an access method that still exists keeps its user, key, role and association.
#[tokio::test]
async fn return_to_a_superseded_access_method() {
    for (from, to) in SWITCHES {
        let (stage, workspace) = applied(&format!("back_{from}_{to}"), from).await;
        run_pod(&stage, from, "manager").await;
        let key = if from == "access_key" { Some(pair(&stage).await) } else { None };
        workspace.set(&access_method(to));
        workspace.apply().await;
        stage.account.forget();
        workspace.set(&access_method(from));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!((access_methods(&stage).await, superseded(&workspace).await), (vec![from], json!([])));
        let made = ["CreateUser", "CreateAccessKey", "CreateRole", "CreatePodIdentityAssociation"];
        let changes = stage.account.changes();
        assert!(!changes.iter().any(|change| made.contains(&change.as_str())), "{changes:?}");
        if let Some(key) = key {
            assert_eq!(pair(&stage).await, key);
            assert_one_key(&stage, &workspace).await;
        }
        end_pod(&stage, "manager").await;
        workspace.assert_stable().await;
        destroy_and_assert_nothing_remains(&stage, &workspace).await;
    }
}

/// C23: three access methods exist at once, each while a pod uses it. A destroy revokes all of them.
#[tokio::test]
async fn three_access_methods_at_once() {
    let (stage, workspace) = applied("third", "access_key").await;
    run_pod(&stage, "access_key", "first").await;
    workspace.set(&access_method("irsa"));
    workspace.apply().await;
    run_pod(&stage, "irsa", "second").await;
    workspace.set(&access_method("pod_identity"));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(access_methods(&stage).await, ["access_key", "irsa", "pod_identity"]);
    let both = json!([shown(&stage, "access_key"), shown(&stage, "irsa")]);
    assert_eq!(superseded(&workspace).await, both);

    end_pod(&stage, "first").await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(access_methods(&stage).await, ["irsa", "pod_identity"]);
    assert_eq!(superseded(&workspace).await, json!([shown(&stage, "irsa")]));

    workspace.set(&access_method("access_key"));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(access_methods(&stage).await, ["access_key", "irsa"]);
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// C23: another service account is also another access method.
#[tokio::test]
async fn service_account_change_is_a_new_access_method() {
    for mode in ["irsa", "pod_identity"] {
        let (stage, workspace) = applied(&format!("account_{mode}"), mode).await;
        make_service_account(&stage, "other").await;
        run_pod(&stage, mode, "manager").await;
        workspace.set(&json!({ "service_account": "other" }));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!(superseded(&workspace).await, json!([shown(&stage, mode)]));
        end_pod(&stage, "manager").await;
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!(superseded(&workspace).await, json!([]));
        let listed = stage.account.eks().list_pod_identity_associations().cluster_name("prod").send().await.unwrap();
        let led: Vec<_> = listed.associations().iter().filter_map(|found| found.service_account()).collect();
        assert_eq!(led, if mode == "irsa" { vec![] } else { vec!["other"] });
        delete_service_account(&stage, "other").await;
        destroy_and_assert_nothing_remains(&stage, &workspace).await;
    }
}

/// The call that completes each access method.
fn last_call(mode: &str) -> (&'static str, &'static str) {
    match mode {
        "access_key" => ("iam", "CreateAccessKey"),
        "irsa" => ("iam", "PutRolePolicy"),
        _ => ("eks", "CreatePodIdentityAssociation"),
    }
}

/// C23: if a switch fails midway, the old access method works, and nothing remains after a destroy.
#[tokio::test]
async fn failed_switch_keeps_the_old_access_method() {
    for (from, to) in SWITCHES {
        let (stage, workspace) = applied(&format!("half_{from}_{to}"), from).await;
        let (service, action) = last_call(to);
        // Between the access methods with a role, the policy exists already.
        let (service, action) = if (from, to) == ("pod_identity", "irsa") {
            ("eks", "DeletePodIdentityAssociation")
        } else {
            (service, action)
        };
        stage.account.inject(Fault::error(service, action, 403, "AccessDenied", "not allowed").times(0));
        workspace.set(&access_method(to));
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("not allowed"), "{printed}");
        assert!(access_methods(&stage).await.contains(&from));
        stage.account.forget();
        destroy_and_assert_nothing_remains(&stage, &workspace).await;
    }
}

/// C14, C23: SIGKILL midway. After a destroy nothing remains, an apply continues, and so does an apply that switches
/// back to the old access method.
#[tokio::test]
async fn crash_during_switch_continues() {
    for (number, (from, to)) in SWITCHES.into_iter().enumerate() {
        let (stage, workspace) = applied(&format!("killed_{from}_{to}"), from).await;
        let (service, action) = last_call(to);
        let (service, action) = if (from, to) == ("pod_identity", "irsa") {
            ("eks", "DeletePodIdentityAssociation")
        } else {
            (service, action)
        };
        stage.account.inject(Fault::throttle(service, action).times(0));
        workspace.set(&access_method(to));
        let running = workspace.begin_apply();
        until("the call is made", async || !stage.account.calls_of(service, action).is_empty()).await;
        let _ = running.kill().await;
        assert_eq!(workspace.state().await.resource(ADDRESS)["mode"], from);
        stage.account.forget();
        match number % 3 {
            0 => {}
            1 => {
                workspace.apply().await;
                workspace.assert_stable().await;
                assert_eq!(access_methods(&stage).await, [to]);
            }
            _ => {
                workspace.set(&access_method(from));
                workspace.apply().await;
                workspace.assert_stable().await;
                assert_eq!((access_methods(&stage).await, superseded(&workspace).await), (vec![from], json!([])));
            }
        }
        destroy_and_assert_nothing_remains(&stage, &workspace).await;
    }
}

/// C23: without the permission to list pods, it is unknown whether the old access method is used. It is kept, and a
/// warning has the reason.
#[tokio::test]
async fn denied_pod_list_keeps_the_old_access_method() {
    let (stage, workspace) = guide("switch_forbidden", access_method("access_key")).await;
    make_service_account(&stage, SERVICE_ACCOUNT).await;
    let proxy = stage.kubernetes_faults();
    workspace.apply().await;
    let forbidden = || KubernetesFault::error("GET", "/pods", 403, "Forbidden", "pods is forbidden").times(0);
    proxy.inject(forbidden());
    workspace.set(&access_method("irsa"));
    let printed = workspace.apply().await.prose();
    assert!(printed.contains("Old credentials kept") && printed.contains("pods is forbidden"), "{printed}");
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    assert!(plan.is_empty() && printed.contains("pods is forbidden"), "{printed}");
    assert_eq!(access_methods(&stage).await, ["access_key", "irsa"]);
    proxy.forget();
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(access_methods(&stage).await, ["irsa"]);
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// C23: if the new access method exists and the old one cannot be revoked, it is recorded, and the next apply revokes
/// it.
#[tokio::test]
async fn failed_revocation_is_completed_by_the_next_apply() {
    for (from, to, service, action) in [
        ("access_key", "irsa", "iam", "DeleteUser"),
        ("irsa", "access_key", "iam", "DeleteRole"),
        ("pod_identity", "irsa", "eks", "DeletePodIdentityAssociation"),
    ] {
        let (stage, workspace) = applied(&format!("stays_{from}_{to}"), from).await;
        stage.account.inject(Fault::error(service, action, 403, "AccessDenied", "not allowed"));
        workspace.set(&access_method(to));
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("not allowed") && access_methods(&stage).await.contains(&to), "{printed}");
        assert_eq!(superseded(&workspace).await, json!([shown(&stage, from)]));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!((access_methods(&stage).await, superseded(&workspace).await), (vec![to], json!([])));
        destroy_and_assert_nothing_remains(&stage, &workspace).await;
    }
}

/// If the new access method is deleted manually while the old one is kept, the old one remains recorded, and the new
/// one is created again.
#[tokio::test]
async fn manually_deleted_new_access_method_is_created_again() {
    let (stage, workspace) = applied("disappears", "access_key").await;
    run_pod(&stage, "access_key", "manager").await;
    let key = pair(&stage).await;
    workspace.set(&access_method("irsa"));
    workspace.apply().await;
    let iam = stage.account.iam();
    iam.delete_role_policy().role_name(NAME).policy_name("gitlab-runner-cache").send().await.unwrap();
    iam.delete_role().role_name(NAME).send().await.unwrap();
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    let change = plan.change(ADDRESS);
    assert_eq!((&change["before"]["mode"], &change["after"]["mode"]), (&json!("access_key"), &json!("irsa")));
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    assert_eq!((access_methods(&stage).await, pair(&stage).await), (vec!["access_key", "irsa"], key));
    end_pod(&stage, "manager").await;
    workspace.apply().await;
    assert_eq!(access_methods(&stage).await, ["irsa"]);
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// If the ownership tag cannot be set, nothing is changed.
#[tokio::test]
async fn refused_ownership_mark_changes_nothing() {
    let (stage, workspace) = applied("marks_refused", "access_key").await;
    stage.account.inject(Fault::error("iam", "TagUser", 403, "AccessDenied", "no iam:TagUser"));
    workspace.set(&access_method("irsa"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("no iam:TagUser") && printed.contains("Nothing was created"), "{printed}");
    assert_eq!((superseded(&workspace).await, stage.account.calls_of("iam", "CreateRole").len()), (json!([]), 0));
    assert_eq!(workspace.state().await.resource(ADDRESS)["mode"], "access_key");
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// If a pod uses the old access method again after the plan, it is kept, and the error has the reason.
#[tokio::test]
async fn access_method_used_since_the_plan_is_kept() {
    let (stage, workspace) = applied("used_again", "access_key").await;
    run_pod(&stage, "access_key", "manager").await;
    workspace.set(&access_method("irsa"));
    workspace.apply().await;
    end_pod(&stage, "manager").await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    run_pod(&stage, "access_key", "again").await;
    let printed = workspace.try_apply_plan().await.failed();
    assert!(printed.contains("Old credentials in use again") && printed.contains("used by one pod"), "{printed}");
    assert_eq!(access_methods(&stage).await, ["access_key", "irsa"]);
    workspace.assert_stable().await;
    end_pod(&stage, "again").await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(access_methods(&stage).await, ["irsa"]);
    destroy_and_assert_nothing_remains(&stage, &workspace).await;
}

/// If the key was deleted before a switch back to it, another one replaces it.
#[tokio::test]
async fn return_to_a_deleted_key_creates_another() {
    let (stage, workspace) = applied("back_gone", "access_key").await;
    run_pod(&stage, "access_key", "manager").await;
    let old = pair(&stage).await.0;
    workspace.set(&access_method("irsa"));
    workspace.apply().await;
    super::delete_key(&stage.account, &old).await;
    workspace.set(&access_method("access_key"));
    workspace.apply().await;
    assert_ne!(assert_one_key(&stage, &workspace).await, old);
    assert_eq!(access_methods(&stage).await, ["access_key"]);
    end_pod(&stage, "manager").await;
    delete_service_account(&stage, SERVICE_ACCOUNT).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// A role of others with the same name is changed neither by the switch nor by a later destroy.
#[tokio::test]
async fn existing_role_of_others_is_not_changed() {
    let (stage, workspace) = applied("taken", "access_key").await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let iam = stage.account.iam();
    iam.create_role().role_name(NAME).assume_role_policy_document(document).send().await.unwrap();
    workspace.set(&access_method("irsa"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("An IAM role with the name ci-cache already exists"), "{printed}");
    assert_eq!(stage.account.changes(), [""; 0]);
    workspace.destroy().await;
    assert!(iam.get_role().role_name(NAME).send().await.is_ok());
    iam.delete_role().role_name(NAME).send().await.unwrap();
    delete_service_account(&stage, SERVICE_ACCOUNT).await;
    stage.assert_nothing_remains().await;
}
