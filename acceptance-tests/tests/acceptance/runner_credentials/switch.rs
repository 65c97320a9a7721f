//! Another mode: the new way first, and the old one until no pod uses it any more.

use gitlabspot_acceptance_tests::{Fault, KubernetesFault, Stage, Workspace, until};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, SECRET, assert_one_key, ends_well, guide, keys, pair, user};

const SERVICE_ACCOUNT: &str = "runner";

fn way(mode: &str) -> Value {
    json!({ "mode": mode, "service_account": SERVICE_ACCOUNT })
}

/// A pod that uses the way as a runner's manager does: the key as the chart mounts it, a role as EKS puts it into pods.
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

/// In this mode, with a service account for pods.
async fn applied(test: &str, mode: &str) -> (Stage, Workspace) {
    let (stage, workspace) = guide(&format!("switch_{test}"), way(mode)).await;
    make_service_account(&stage, SERVICE_ACCOUNT).await;
    workspace.apply().await;
    stage.account.forget();
    (stage, workspace)
}

/// What the attribute says of a way.
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

/// The ways that lead somewhere, whatever the state says.
async fn ways(stage: &Stage) -> Vec<&'static str> {
    let mut ways = Vec::new();
    if user(&stage.account).await.is_some() && !keys(&stage.account).await.is_empty() {
        let key = keys(&stage.account).await[0].0.clone();
        assert_eq!(pair(stage).await.0, key);
        ways.push("access_key");
    }
    if let Ok(role) = stage.account.iam().get_role().role_name(NAME).send().await {
        let trust = role.role.unwrap().assume_role_policy_document.unwrap();
        if trust.contains("oidc-provider") {
            ways.push("irsa");
        }
        let listed = stage.account.eks().list_pod_identity_associations().cluster_name("prod").send().await.unwrap();
        if trust.contains("pods.eks.amazonaws.com") && !listed.associations().is_empty() {
            ways.push("pod_identity");
        }
    }
    ways
}

fn sorted<'a>(modes: &[&'a str]) -> Vec<&'a str> {
    let mut modes = modes.to_vec();
    modes.sort_unstable();
    modes
}

async fn nothing_is_left(stage: &Stage, workspace: &Workspace) {
    workspace.destroy().await;
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    let _ = pods.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
    delete_service_account(stage, SERVICE_ACCOUNT).await;
    stage.assert_nothing_left().await;
}

const SWITCHES: [(&str, &str); 6] = [
    ("access_key", "irsa"),
    ("irsa", "pod_identity"),
    ("pod_identity", "access_key"),
    ("access_key", "pod_identity"),
    ("pod_identity", "irsa"),
    ("irsa", "access_key"),
];

/// C23: while no pod uses the old way, it goes in the same apply, when the new one is there.
#[tokio::test]
async fn without_pods() {
    let (stage, workspace) = applied("without_pods", SWITCHES[0].0).await;
    for (from, to) in SWITCHES {
        assert_eq!(ways(&stage).await, [from]);
        stage.account.forget();
        workspace.set(&way(to));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!((ways(&stage).await, superseded(&workspace).await), (vec![to], json!([])));
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
    nothing_is_left(&stage, &workspace).await;
}

/// C23: a pod uses the old way: it stays, known as superseded, until the pod is gone; the next apply revokes it.
#[tokio::test]
async fn with_a_pod() {
    let (stage, workspace) = applied("with_a_pod", SWITCHES[0].0).await;
    for (from, to) in SWITCHES {
        run_pod(&stage, from, "manager").await;
        workspace.set(&way(to));
        let said = workspace.apply().await.prose();
        assert!(said.contains("Old credentials kept") && said.contains("manager"), "{said}");
        workspace.assert_stable().await;
        let both = sorted(&[from, to]);
        assert_eq!((ways(&stage).await, superseded(&workspace).await), (both, json!([shown(&stage, from)])));
        assert_eq!(workspace.state().await.resource(ADDRESS)["mode"], to);

        end_pod(&stage, "manager").await;
        let plan = workspace.plan().await;
        assert_eq!(plan.changes()[ADDRESS], ["update"]);
        assert_eq!(plan.change(ADDRESS)["after"]["superseded"], json!([]));
        let said = plan.output().prose();
        assert!(said.contains("Old credentials will be revoked") && said.contains(&shown(&stage, from)), "{said}");
        stage.account.forget();
        let _ = workspace.try_apply_plan().await.succeeded();
        workspace.assert_stable().await;
        assert_eq!((ways(&stage).await, superseded(&workspace).await), (vec![to], json!([])));
        let made = ["CreateUser", "CreateAccessKey", "CreateRole", "CreatePodIdentityAssociation"];
        let changes = stage.account.changes();
        assert!(!changes.iter().any(|change| made.contains(&change.as_str())), "{changes:?}");
    }
    nothing_is_left(&stage, &workspace).await;
}

/// C23: back to a way that still is there: the same user, key, role and association.
#[tokio::test]
async fn back_again() {
    for (from, to) in SWITCHES {
        let (stage, workspace) = applied(&format!("back_{from}_{to}"), from).await;
        run_pod(&stage, from, "manager").await;
        let key = if from == "access_key" { Some(pair(&stage).await) } else { None };
        workspace.set(&way(to));
        workspace.apply().await;
        stage.account.forget();
        workspace.set(&way(from));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!((ways(&stage).await, superseded(&workspace).await), (vec![from], json!([])));
        let made = ["CreateUser", "CreateAccessKey", "CreateRole", "CreatePodIdentityAssociation"];
        let changes = stage.account.changes();
        assert!(!changes.iter().any(|change| made.contains(&change.as_str())), "{changes:?}");
        if let Some(key) = key {
            assert_eq!(pair(&stage).await, key);
            assert_one_key(&stage, &workspace).await;
        }
        end_pod(&stage, "manager").await;
        workspace.assert_stable().await;
        nothing_is_left(&stage, &workspace).await;
    }
}

/// C23: three ways at once, each as long as a pod uses it; a destroy takes them all.
#[tokio::test]
async fn to_a_third() {
    let (stage, workspace) = applied("third", "access_key").await;
    run_pod(&stage, "access_key", "first").await;
    workspace.set(&way("irsa"));
    workspace.apply().await;
    run_pod(&stage, "irsa", "second").await;
    workspace.set(&way("pod_identity"));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ways(&stage).await, ["access_key", "irsa", "pod_identity"]);
    let both = json!([shown(&stage, "access_key"), shown(&stage, "irsa")]);
    assert_eq!(superseded(&workspace).await, both);

    end_pod(&stage, "first").await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ways(&stage).await, ["irsa", "pod_identity"]);
    assert_eq!(superseded(&workspace).await, json!([shown(&stage, "irsa")]));

    workspace.set(&way("access_key"));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ways(&stage).await, ["access_key", "irsa"]);
    nothing_is_left(&stage, &workspace).await;
}

/// C23: another service account is another way, too.
#[tokio::test]
async fn another_service_account() {
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
        nothing_is_left(&stage, &workspace).await;
    }
}

/// The call with which each way is complete.
fn last_call(mode: &str) -> (&'static str, &'static str) {
    match mode {
        "access_key" => ("iam", "CreateAccessKey"),
        "irsa" => ("iam", "PutRolePolicy"),
        _ => ("eks", "CreatePodIdentityAssociation"),
    }
}

/// C23: the switch fails half-way: the old way serves, and a destroy leaves nothing.
#[tokio::test]
async fn half_way() {
    for (from, to) in SWITCHES {
        let (stage, workspace) = applied(&format!("half_{from}_{to}"), from).await;
        let (service, action) = last_call(to);
        // From one way to a role to the other the policy is there already.
        let (service, action) = if (from, to) == ("pod_identity", "irsa") {
            ("eks", "DeletePodIdentityAssociation")
        } else {
            (service, action)
        };
        stage.account.inject(Fault::error(service, action, 403, "AccessDenied", "not allowed").times(0));
        workspace.set(&way(to));
        let said = workspace.try_apply().await.failed();
        assert!(said.contains("not allowed"), "{said}");
        assert!(ways(&stage).await.contains(&from));
        stage.account.forget();
        nothing_is_left(&stage, &workspace).await;
    }
}

/// C14, C23: `kill -9` half-way: a destroy leaves nothing, an apply goes on, and so does one that wants the old way back.
#[tokio::test]
async fn killed_half_way() {
    for (number, (from, to)) in SWITCHES.into_iter().enumerate() {
        let (stage, workspace) = applied(&format!("killed_{from}_{to}"), from).await;
        let (service, action) = last_call(to);
        let (service, action) = if (from, to) == ("pod_identity", "irsa") {
            ("eks", "DeletePodIdentityAssociation")
        } else {
            (service, action)
        };
        stage.account.inject(Fault::throttle(service, action).times(0));
        workspace.set(&way(to));
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
                assert_eq!(ways(&stage).await, [to]);
            }
            _ => {
                workspace.set(&way(from));
                workspace.apply().await;
                workspace.assert_stable().await;
                assert_eq!((ways(&stage).await, superseded(&workspace).await), (vec![from], json!([])));
            }
        }
        nothing_is_left(&stage, &workspace).await;
    }
}

/// C23: whoever may not list pods cannot know that nobody uses the old way: it stays, and a warning says why.
#[tokio::test]
async fn pods_may_not_be_listed() {
    let (stage, workspace) = guide("switch_forbidden", way("access_key")).await;
    make_service_account(&stage, SERVICE_ACCOUNT).await;
    let proxy = stage.kubernetes_faults();
    workspace.apply().await;
    let forbidden = || KubernetesFault::error("GET", "/pods", 403, "Forbidden", "pods is forbidden").times(0);
    proxy.inject(forbidden());
    workspace.set(&way("irsa"));
    let said = workspace.apply().await.prose();
    assert!(said.contains("Old credentials kept") && said.contains("pods is forbidden"), "{said}");
    let plan = workspace.plan().await;
    let said = plan.output().prose();
    assert!(plan.is_empty() && said.contains("pods is forbidden"), "{said}");
    assert_eq!(ways(&stage).await, ["access_key", "irsa"]);
    proxy.forget();
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ways(&stage).await, ["irsa"]);
    nothing_is_left(&stage, &workspace).await;
}

/// C23: the new way is there, and the old one cannot be revoked yet: known, and revoked by the next apply.
#[tokio::test]
async fn the_old_way_stays_for_now() {
    for (from, to, service, action) in [
        ("access_key", "irsa", "iam", "DeleteUser"),
        ("irsa", "access_key", "iam", "DeleteRole"),
        ("pod_identity", "irsa", "eks", "DeletePodIdentityAssociation"),
    ] {
        let (stage, workspace) = applied(&format!("stays_{from}_{to}"), from).await;
        stage.account.inject(Fault::error(service, action, 403, "AccessDenied", "not allowed"));
        workspace.set(&way(to));
        let said = workspace.try_apply().await.failed();
        assert!(said.contains("not allowed") && ways(&stage).await.contains(&to), "{said}");
        assert_eq!(superseded(&workspace).await, json!([shown(&stage, from)]));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!((ways(&stage).await, superseded(&workspace).await), (vec![to], json!([])));
        nothing_is_left(&stage, &workspace).await;
    }
}

/// The new way is deleted by hand while the old one is kept: the old one is not forgotten, and the new one made again.
#[tokio::test]
async fn the_new_way_disappears() {
    let (stage, workspace) = applied("disappears", "access_key").await;
    run_pod(&stage, "access_key", "manager").await;
    let key = pair(&stage).await;
    workspace.set(&way("irsa"));
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
    assert_eq!((ways(&stage).await, pair(&stage).await), (vec!["access_key", "irsa"], key));
    end_pod(&stage, "manager").await;
    workspace.apply().await;
    assert_eq!(ways(&stage).await, ["irsa"]);
    nothing_is_left(&stage, &workspace).await;
}

/// Nothing was begun that could not be marked.
#[tokio::test]
async fn marks_are_refused() {
    let (stage, workspace) = applied("marks_refused", "access_key").await;
    stage.account.inject(Fault::error("iam", "TagUser", 403, "AccessDenied", "no iam:TagUser"));
    workspace.set(&way("irsa"));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("no iam:TagUser") && said.contains("Nothing was created"), "{said}");
    assert_eq!((superseded(&workspace).await, stage.account.calls_of("iam", "CreateRole").len()), (json!([]), 0));
    assert_eq!(workspace.state().await.resource(ADDRESS)["mode"], "access_key");
    nothing_is_left(&stage, &workspace).await;
}

/// The plan has seen no pod, and when it is applied there is one again: the old way stays, and the error says so.
#[tokio::test]
async fn used_again_meanwhile() {
    let (stage, workspace) = applied("used_again", "access_key").await;
    run_pod(&stage, "access_key", "manager").await;
    workspace.set(&way("irsa"));
    workspace.apply().await;
    end_pod(&stage, "manager").await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    run_pod(&stage, "access_key", "again").await;
    let said = workspace.try_apply_plan().await.failed();
    assert!(said.contains("Old credentials in use again") && said.contains("used by one pod"), "{said}");
    assert_eq!(ways(&stage).await, ["access_key", "irsa"]);
    workspace.assert_stable().await;
    end_pod(&stage, "again").await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ways(&stage).await, ["irsa"]);
    nothing_is_left(&stage, &workspace).await;
}

/// The key is gone when the way is taken back: another one takes its place.
#[tokio::test]
async fn back_to_a_key_that_is_gone() {
    let (stage, workspace) = applied("back_gone", "access_key").await;
    run_pod(&stage, "access_key", "manager").await;
    let old = pair(&stage).await.0;
    workspace.set(&way("irsa"));
    workspace.apply().await;
    super::delete_key(&stage.account, &old).await;
    workspace.set(&way("access_key"));
    workspace.apply().await;
    assert_ne!(assert_one_key(&stage, &workspace).await, old);
    assert_eq!(ways(&stage).await, ["access_key"]);
    end_pod(&stage, "manager").await;
    delete_service_account(&stage, SERVICE_ACCOUNT).await;
    ends_well(&stage, &workspace).await;
}

/// A role of this name that others made is not touched by the switch, nor by a destroy after it.
#[tokio::test]
async fn name_is_taken() {
    let (stage, workspace) = applied("taken", "access_key").await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let iam = stage.account.iam();
    iam.create_role().role_name(NAME).assume_role_policy_document(document).send().await.unwrap();
    workspace.set(&way("irsa"));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("An IAM role with the name ci-cache already exists"), "{said}");
    assert_eq!(stage.account.changes(), [""; 0]);
    workspace.destroy().await;
    assert!(iam.get_role().role_name(NAME).send().await.is_ok());
    iam.delete_role().role_name(NAME).send().await.unwrap();
    delete_service_account(&stage, SERVICE_ACCOUNT).await;
    stage.assert_nothing_left().await;
}
