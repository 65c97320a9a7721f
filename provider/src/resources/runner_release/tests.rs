//! Scenarios: the release as a host operates it, on an API server in memory.

mod admission;
mod owners;

use gitlabspot_clients::aws::AwsSettings;
use gitlabspot_clients::kubernetes::KubernetesSettings;
use gitlabspot_testing::kubernetes::{Cluster, Fault};
use serde_json::{Value as Json, json};
use tfplugin::framework::{Diagnostics, Raw};

use super::RunnerReleaseResource;
use crate::testing::{Stage, summaries};

const GUIDE: &str = include_str!("testdata/guide-values.yaml");
const PLACE: &str = "gitlab-runner/gitlab-runner";
const MANAGER: &str = "deployments gitlab-runner/gitlab-runner";

fn stage(cluster: &Cluster) -> Stage {
    Stage::with_cluster(
        RunnerReleaseResource,
        AwsSettings::default(),
        KubernetesSettings::default(),
        Some(cluster.client()),
    )
}

fn object<const N: usize>(attributes: [(&str, Raw); N]) -> Raw {
    Raw::Map(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A namespace, or an object of others in the release's namespace.
fn plain(kind: &str, name: &str) -> Json {
    let namespace = (kind != "Namespace").then_some("gitlab-runner");
    json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name, "namespace": namespace } })
}

/// The release of the guide, with the values file in its original form.
fn guide() -> Vec<(&'static str, Raw)> {
    vec![("values", Raw::List(vec![GUIDE.into()])), ("create_namespace", true.into())]
}

fn typed() -> Vec<(&'static str, Raw)> {
    vec![
        ("gitlab_url", "https://gitlab.com/".into()),
        ("runner_token_wo", "glrt-very-secret".into()),
        ("runner_token_wo_version", 1.into()),
        ("create_namespace", true.into()),
    ]
}

fn with(base: Vec<(&'static str, Raw)>, more: &[(&'static str, Raw)]) -> Vec<(&'static str, Raw)> {
    let kept = base.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more.iter().cloned()).collect()
}

#[tokio::test]
async fn values_file_of_the_guide() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let diagnostics = stage.apply(&guide()).await;
    assert_eq!(summaries(&diagnostics), [""; 0]);
    assert_eq!(stage.changes(&guide()).await, [""; 0]);
    assert_eq!(stage.state.get("id"), PLACE.into());
    assert_eq!(stage.state.get("status"), "available".into());
    assert_eq!(
        cluster.resources(),
        [
            "configmaps",
            "deployments",
            "namespaces",
            "rolebindings",
            "roles",
            "secrets",
            "serviceaccounts",
            "servicemonitors",
            "services",
        ]
    );
    cluster.requests();
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(cluster.resources(), [""; 0]);
    let writes = cluster.writes();
    let deleted: Vec<_> = writes.iter().filter_map(|line| line.strip_prefix("DELETE ")?.split(' ').next()).collect();
    assert_eq!(
        deleted,
        [
            "deployments",
            "configmaps",
            "secrets",
            "services",
            "servicemonitors",
            "rolebindings",
            "roles",
            "serviceaccounts",
            "namespaces",
        ]
    );
}

#[tokio::test]
async fn foreign_objects_keep_the_namespace() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    cluster.put(plain("Secret", "theirs"));
    assert_eq!(summaries(&stage.destroy().await), ["Namespace kept"]);
    assert_eq!(cluster.resources(), ["namespaces", "secrets"]);
}

/// A pod with the labels of the manager, which belongs to it if its owner is a ReplicaSet.
fn pod(name: &str, owner: &str, status: &Json) -> Json {
    let labels = json!({ "app": "gitlab-runner", "release": "gitlab-runner", "pod-template-hash": "5d4" });
    let owner = json!({ "kind": owner, "name": "gitlab-runner-5d4" });
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "gitlab-runner", "labels": labels, "ownerReferences": [owner] },
        "status": status,
    })
}

#[tokio::test]
async fn a_destroy_waits_for_pods_of_the_manager() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let config = with(typed(), &[("runner_token_wo", Raw::Null), ("registration_token_wo", "GR1-secret".into())]);
    stage.apply_wholly(&config).await;
    cluster.put(pod("p", "ReplicaSet", &json!({ "phase": "Running" })));
    cluster.requests();
    let began = stage.clock.passed();
    // This pod never ends.
    let diagnostics = stage.destroy().await;
    assert_eq!(summaries(&diagnostics), ["Cannot remove the runner release"]);
    assert!(
        diagnostics.iter().next().unwrap().detail.contains("the pods of the manager are terminating: p"),
        "{diagnostics:?}"
    );
    // Pods unregister by themselves: nothing is written before the Deployment is deleted.
    assert_eq!(cluster.writes()[0], format!("DELETE {MANAGER}"));
    // The grace period of the pods, plus ten minutes.
    assert_eq!((stage.clock.passed() - began).as_secs() / 60, 70);
    cluster.remove("pods gitlab-runner/p");
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.resources(), [""; 0]);
}

#[tokio::test]
async fn a_destroy_does_not_wait_for_pods_of_jobs() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    // A pod of a job with the labels of the manager.
    cluster.put(pod("job", "Job", &json!({ "phase": "Running" })));
    let began = stage.clock.passed();
    assert_eq!(summaries(&stage.destroy().await), ["Namespace kept"]);
    assert!((stage.clock.passed() - began).as_secs() < 60);
    assert_eq!(cluster.resources(), ["namespaces", "pods"]);
}

#[tokio::test]
async fn rejected_pods_are_reported_with_the_reason() {
    for reason in ["ReplicaSetUpdated", "ProgressDeadlineExceeded"] {
        let cluster = Cluster::default();
        let mut stage = stage(&cluster);
        stage.apply_wholly(&typed()).await;
        cluster.inject(Fault::NoNewPods(json!([
            { "type": "Progressing", "status": "True", "reason": reason, "message": "has timed out progressing." },
            {
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": "pods \"gitlab-runner-5d4-\" is forbidden: violates PodSecurity \"restricted:latest\"",
            },
        ])));
        let diagnostics = stage.apply(&with(typed(), &[("concurrent", 4.into())])).await;
        assert_eq!(summaries(&diagnostics), ["Runner manager is not available"]);
        let detail = &diagnostics.iter().next().unwrap().detail;
        let why = "pods are refused: pods \"gitlab-runner-5d4-\" is forbidden: violates PodSecurity";
        assert_eq!(detail.matches(why).count(), 1, "{detail}");
        let is_over = reason == "ProgressDeadlineExceeded";
        assert_eq!(detail.contains("has timed out progressing"), is_over, "{detail}");
    }
}

#[tokio::test]
async fn renamed_release_is_created_before_the_old_one_is_deleted() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    stage.apply_wholly(&with(typed(), &[("fullname_override", "other".into())])).await;
    let writes = cluster.writes();
    let at = |line: &str| writes.iter().position(|write| write == line).unwrap();
    assert!(at("APPLY deployments gitlab-runner/other") < at(&format!("DELETE {MANAGER}")));
    assert_eq!(cluster.get("deployments gitlab-runner/other")["metadata"]["labels"]["app"], "other");
    let names: Vec<String> = stage.state.get("manifest").as_map().unwrap().keys().cloned().collect();
    assert!(names.iter().all(|name| name.ends_with("/other")), "{names:?}");
}

#[tokio::test]
async fn import_restores_the_state() {
    for config in
        [guide(), typed(), with(typed(), &[("config_toml", "concurrent = 3\n[[runners]]\nlimit = 1\n".into())])]
    {
        let cluster = Cluster::default();
        let mut first = stage(&cluster);
        first.apply(&config).await;
        first.refresh().await;
        let mut second = stage(&cluster);
        assert_eq!(second.import(PLACE).await, Diagnostics::new());
        if config == guide() {
            // The annotation does not contain `values` with a token.
            assert!(second.changes(&config).await.contains(&"values".to_owned()));
        } else {
            assert_eq!(second.state, first.state);
            assert_eq!(second.changes(&config).await, [""; 0]);
        }
        second.apply_wholly(&config).await;
        assert_eq!(cluster.get(MANAGER)["metadata"]["name"], "gitlab-runner");
    }
    let nothing = stage(&Cluster::default()).import(PLACE).await;
    assert_eq!(summaries(&nothing), ["Runner release not found"]);
    assert_eq!(summaries(&stage(&Cluster::default()).import("gitlab-runner").await), ["Invalid import ID"]);
}

#[tokio::test]
async fn token_kind_is_read_from_an_existing_secret() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let config = with(
        typed(),
        &[
            ("runner_token_wo", Raw::Null),
            ("runner_token_wo_version", Raw::Null),
            ("token_secret_name", "theirs".into()),
        ],
    );
    assert!(stage.plan(&config).await.state.get("manifest").is_unknown());
    cluster.put(plain("Namespace", "gitlab-runner"));
    let mut secret = plain("Secret", "theirs");
    secret["data"] = json!({ "runner-registration-token": "eA==" });
    cluster.put(secret);
    assert!(!stage.plan(&config).await.state.get("manifest").is_unknown());
    stage.apply_wholly(&config).await;
    assert!(cluster.get("configmaps gitlab-runner/gitlab-runner")["data"]["register-the-runner"].is_string());
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.resources(), ["namespaces", "secrets"]);
}

#[tokio::test]
async fn incomplete_rollout_reports_the_cause_and_resumes() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    let status = json!({ "phase": "Running", "containerStatuses": [{
        "name": "gitlab-runner", "ready": false, "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "lastState": { "terminated": { "exitCode": 1 } },
    }] });
    cluster.put(pod("p", "ReplicaSet", &status));
    cluster.inject(Fault::NoNewPods(Json::Null));
    let config = with(typed(), &[("concurrent", 4.into())]);
    let diagnostics = stage.apply(&config).await;
    assert_eq!(summaries(&diagnostics), ["Runner manager is not available"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    for text in ["timed out after 15m", "0 of 1 pods are new", "CrashLoopBackOff, last exit code 1", "the last line"] {
        assert!(detail.contains(text), "{detail}");
    }
    // Nothing else differs, but an apply still has to wait for the rollout.
    assert_eq!(stage.changes(&config).await, ["status"]);
    cluster.recover();
    stage.apply_wholly(&config).await;
    assert_eq!(stage.state.get("status"), "available".into());
}

#[tokio::test]
async fn interrupted_apply_is_completed_or_removed() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    cluster.inject(Fault::Error("APPLY deployments", 422, "Invalid", "spec: Invalid value"));
    let diagnostics = stage.apply(&typed()).await;
    assert_eq!(summaries(&diagnostics), ["Cannot apply the runner release"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("the next apply deletes and recreates it") && detail.contains("untaint"), "{detail}");
    // An object is recorded before its request.
    let made: Vec<String> = stage.state.get("manifest").as_map().unwrap().keys().cloned().collect();
    assert!(made.contains(&format!("Deployment {PLACE}")), "{made:?}");
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.resources(), [""; 0]);
}

#[tokio::test]
async fn token_is_stored_in_its_secret_only() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    assert!(!format!("{:?} {:?}", stage.state, stage.private).contains("very-secret"));
    assert_eq!(cluster.get("secrets gitlab-runner/gitlab-runner")["data"]["runner-token"], "Z2xydC12ZXJ5LXNlY3JldA==");
}

#[tokio::test]
async fn a_change_rolls_the_manager_once() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 1);
    stage.apply_wholly(&with(typed(), &[("concurrent", 4.into())])).await;
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 2);
    // A new token with the same version is not applied, and causes no difference.
    let other = with(typed(), &[("concurrent", 4.into()), ("runner_token_wo", "glrt-other".into())]);
    assert_eq!(stage.changes(&other).await, [""; 0]);
    stage.apply_wholly(&with(other, &[("runner_token_wo_version", 2.into())])).await;
    assert_eq!(cluster.get("secrets gitlab-runner/gitlab-runner")["data"]["runner-token"], "Z2xydC1vdGhlcg==");
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 3);
}

#[tokio::test]
async fn manual_changes_are_planned_and_corrected() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    let before = cluster.get("configmaps gitlab-runner/gitlab-runner");
    cluster.change("configmaps gitlab-runner/gitlab-runner", |object| {
        object["data"]["config.toml"] = "concurrent = 99".into()
    });
    cluster.change("secrets gitlab-runner/gitlab-runner", |object| object["data"]["runner-token"] = "eA==".into());
    cluster.remove("roles gitlab-runner/gitlab-runner");
    assert_eq!(stage.changes(&typed()).await, ["manifest", "objects", "status"]);
    stage.apply_wholly(&typed()).await;
    assert_eq!(cluster.get("configmaps gitlab-runner/gitlab-runner")["data"], before["data"]);
    assert_eq!(cluster.get("secrets gitlab-runner/gitlab-runner")["data"]["runner-token"], "Z2xydC12ZXJ5LXNlY3JldA==");
    assert!(cluster.resources().contains(&"roles".to_owned()));
    // The content that pods are started with is unchanged.
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 1);
}

#[tokio::test]
async fn objects_removed_from_the_configuration_are_deleted() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage
        .apply_wholly(&with(
            typed(),
            &[("pod_disruption_budget", object([("max_unavailable", "1".into()), ("min_available", Raw::Null)]))],
        ))
        .await;
    assert!(cluster.resources().contains(&"poddisruptionbudgets".to_owned()));
    stage
        .apply_wholly(&with(
            typed(),
            &[("rbac", object([("create", false.into()), ("cluster_wide", Raw::Null), ("rules", Raw::Null)]))],
        ))
        .await;
    assert_eq!(cluster.resources(), ["configmaps", "deployments", "namespaces", "secrets", "serviceaccounts"]);
}

/// Creates objects that remain of a killed run: in the namespace of jobs, and cluster-scoped ones without a binding.
fn leave(cluster: &Cluster) {
    let object = |kind: &str, namespace: Option<&str>, of: &str| {
        let labels = json!({
            "app.kubernetes.io/managed-by": "gitlabspot", "release": "gitlab-runner", "gitlabspot.io/release-namespace": of,
        });
        let metadata = json!({ "name": format!("of-{of}"), "namespace": namespace, "labels": labels });
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata })
    };
    cluster.put(plain("Namespace", "jobs"));
    for of in ["gitlab-runner", "elsewhere"] {
        cluster.put(object("Role", Some("jobs"), of));
        cluster.put(object("ClusterRole", None, of));
    }
}

#[tokio::test]
async fn leftovers_of_a_killed_run_are_deleted() {
    let of_others = |cluster: &Cluster| {
        assert_eq!(cluster.objects_of("clusterroles"), ["clusterroles of-elsewhere"]);
        assert_eq!(cluster.get("roles jobs/of-gitlab-runner"), Json::Null);
        assert_ne!(cluster.get("roles jobs/of-elsewhere"), Json::Null);
    };
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    leave(&cluster);
    stage.apply_wholly(&typed()).await;
    of_others(&cluster);
    leave(&cluster);
    stage.apply_wholly(&with(typed(), &[("concurrent", 4.into())])).await;
    of_others(&cluster);
    leave(&cluster);
    assert_eq!(stage.destroy().await, Diagnostics::new());
    of_others(&cluster);
}

#[tokio::test]
async fn objects_of_another_release_are_not_changed() {
    let cluster = Cluster::default();
    let mut first = stage(&cluster);
    first.apply_wholly(&typed()).await;
    let mut second = stage(&cluster);
    let config = with(typed(), &[("name", "second".into()), ("fullname_override", "gitlab-runner".into())]);
    let diagnostics = second.apply(&config).await;
    assert_eq!(summaries(&diagnostics), ["Object already exists"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("belongs to the release gitlab-runner/gitlab-runner"), "{detail}");
    assert_eq!(first.changes(&typed()).await, [""; 0]);
}

#[tokio::test]
async fn foreign_objects_are_not_changed() {
    let cluster = Cluster::default();
    cluster.put(plain("Namespace", "gitlab-runner"));
    cluster.put(plain("ConfigMap", "gitlab-runner"));
    let mut stage = stage(&cluster);
    let theirs = cluster.get("configmaps gitlab-runner/gitlab-runner");
    assert_eq!(summaries(&stage.apply(&typed()).await), ["Object already exists"]);
    assert_eq!(cluster.resources(), ["configmaps", "namespaces"]);
    assert_eq!(cluster.get("configmaps gitlab-runner/gitlab-runner"), theirs);
    assert_eq!(stage.state, Raw::Null);
}

#[tokio::test]
async fn a_changed_secret_of_the_cache_rolls_the_manager() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let config = with(typed(), &[("cache_secret_name", "cache".into())]);
    stage.apply_wholly(&config).await;
    let mut secret = plain("Secret", "cache");
    secret["data"] = json!({ "accesskey": "eA==" });
    cluster.put(secret);
    assert_eq!(stage.changes(&config).await, ["manifest", "status"]);
    stage.apply_wholly(&config).await;
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 2);
}

#[tokio::test]
async fn unknown_inputs_make_no_request() {
    let cluster = Cluster::default();
    let stage = stage(&cluster);
    for (name, value) in [
        ("cache_secret_name", Raw::unknown()),
        ("build_nodes", Raw::unknown()),
        ("cache", Raw::unknown()),
        ("restart_on", object([("cache", Raw::unknown())])),
        ("values", Raw::List(vec![Raw::unknown()])),
    ] {
        let planned = stage.plan(&with(typed(), &[(name, value)])).await;
        assert_eq!(planned.diagnostics.iter().count(), 0);
        assert!(planned.state.get("manifest").is_unknown(), "{name}");
        assert!(planned.state.get("job_pod").is_unknown());
        assert_eq!(planned.state.get("id"), PLACE.into());
    }
    assert_eq!(cluster.requests(), [""; 0]);
}

/// A refresh by an identity that is not allowed to read these kinds.
#[tokio::test]
async fn unreadable_objects_are_kept_in_the_state() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let config = with(typed(), &[("cache_secret_name", "cache".into())]);
    stage.apply_wholly(&config).await;
    let before = stage.state.clone();
    cluster.inject(Fault::Hidden(&["secrets", "roles", "namespaces", "deployments"]));
    let diagnostics = stage.refresh().await;
    assert_eq!(summaries(&diagnostics), ["Missing permissions to read the release"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    for text in [
        "Secret gitlab-runner/gitlab-runner",
        "Secret gitlab-runner/cache",
        "- get secrets in the namespace gitlab-runner",
        "- get roles.rbac.authorization.k8s.io in",
    ] {
        assert!(detail.contains(text), "{detail}");
    }
    assert_eq!(stage.state, before);
    assert_eq!(stage.differences(&config).await, [""; 0]);
    // Objects that can be read are still compared.
    cluster.remove("rolebindings gitlab-runner/gitlab-runner");
    stage.refresh().await;
    assert_eq!(stage.differences(&config).await, ["manifest", "objects", "status"]);
}
