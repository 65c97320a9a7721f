//! Scenarios: the release as core drives it, on a small API server in memory.

mod cluster;

use self::cluster::Cluster;
use super::RunnerReleaseResource;
use crate::clients::aws::AwsSettings;
use crate::clients::kubernetes::KubernetesSettings;
use crate::framework::Raw;
use crate::resources::testing::{Stage, summaries};

const GUIDE: &str = include_str!("testdata/guide-values.yaml");
const PLACE: &str = "gitlab-runner/gitlab-runner";

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

/// The guide's release, with the values file as its author wrote it.
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
async fn the_guides_values_file() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let diagnostics = stage.apply(&guide()).await;
    assert_eq!(summaries(&diagnostics), [""; 0]);
    assert_eq!(stage.changes(&guide()).await, [""; 0]);
    assert_eq!(stage.state.get("id"), PLACE.into());
    assert_eq!(stage.state.get("status"), "available".into());
    assert_eq!(
        cluster.names(),
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
    assert!(!stage.destroy().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(cluster.names(), ["namespaces"]);
}

#[tokio::test]
async fn typed_attributes_and_a_token_that_is_nowhere_but_in_its_secret() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    assert!(!format!("{:?} {:?}", stage.state, stage.private).contains("very-secret"));
    assert_eq!(cluster.get("secrets", "gitlab-runner")["data"]["runner-token"], "Z2xydC12ZXJ5LXNlY3JldA==");
}

#[tokio::test]
async fn a_change_rolls_the_manager_once() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    assert_eq!(cluster.get("deployments", "gitlab-runner")["metadata"]["generation"], 1);
    stage.apply_wholly(&with(typed(), &[("concurrent", 4.into())])).await;
    assert_eq!(cluster.get("deployments", "gitlab-runner")["metadata"]["generation"], 2);
    // A token that is not announced by its version changes nothing, and with it everything is as before.
    let other = with(typed(), &[("concurrent", 4.into()), ("runner_token_wo", "glrt-other".into())]);
    assert_eq!(stage.changes(&other).await, [""; 0]);
    stage.apply_wholly(&with(other, &[("runner_token_wo_version", 2.into())])).await;
    assert_eq!(cluster.get("secrets", "gitlab-runner")["data"]["runner-token"], "Z2xydC1vdGhlcg==");
    assert_eq!(cluster.get("deployments", "gitlab-runner")["metadata"]["generation"], 3);
}

#[tokio::test]
async fn changes_by_hand_are_shown_and_repaired() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage.apply_wholly(&typed()).await;
    let before = cluster.get("configmaps", "gitlab-runner");
    cluster.change("configmaps", "gitlab-runner", |object| object["data"]["config.toml"] = "concurrent = 99".into());
    cluster.change("secrets", "gitlab-runner", |object| object["data"]["runner-token"] = "eA==".into());
    cluster.remove("roles", "gitlab-runner");
    assert_eq!(stage.changes(&typed()).await, ["manifest", "objects", "status"]);
    stage.apply_wholly(&typed()).await;
    assert_eq!(cluster.get("configmaps", "gitlab-runner")["data"], before["data"]);
    assert_eq!(cluster.get("secrets", "gitlab-runner")["data"]["runner-token"], "Z2xydC12ZXJ5LXNlY3JldA==");
    assert!(cluster.names().contains(&"roles".to_owned()));
    // Nothing that a pod starts with is other than at first.
    assert_eq!(cluster.get("deployments", "gitlab-runner")["metadata"]["generation"], 1);
}

#[tokio::test]
async fn what_leaves_the_configuration_is_removed() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    stage
        .apply_wholly(&with(
            typed(),
            &[("pod_disruption_budget", object([("max_unavailable", "1".into()), ("min_available", Raw::Null)]))],
        ))
        .await;
    assert!(cluster.names().contains(&"poddisruptionbudgets".to_owned()));
    stage
        .apply_wholly(&with(
            typed(),
            &[("rbac", object([("create", false.into()), ("cluster_wide", Raw::Null), ("rules", Raw::Null)]))],
        ))
        .await;
    assert_eq!(cluster.names(), ["configmaps", "deployments", "namespaces", "secrets", "serviceaccounts"]);
}

#[tokio::test]
async fn what_others_made_is_not_touched() {
    let cluster = Cluster::default();
    cluster.put(
        "configmaps",
        serde_json::json!({ "metadata": { "name": "gitlab-runner", "namespace": "gitlab-runner" } }),
    );
    let mut stage = stage(&cluster);
    assert_eq!(summaries(&stage.apply(&typed()).await), ["Object exists already"]);
    assert_eq!(cluster.names(), ["configmaps"]);
}

#[tokio::test]
async fn a_changed_secret_of_the_cache_rolls_the_manager() {
    let cluster = Cluster::default();
    let mut stage = stage(&cluster);
    let config = with(typed(), &[("cache_secret_name", "cache".into())]);
    stage.apply_wholly(&config).await;
    cluster.put(
        "secrets",
        serde_json::json!({
            "metadata": { "name": "cache", "namespace": "gitlab-runner" }, "data": { "accesskey": "eA==" },
        }),
    );
    assert_eq!(stage.changes(&config).await, ["manifest", "status"]);
    stage.apply_wholly(&config).await;
    assert_eq!(cluster.get("deployments", "gitlab-runner")["metadata"]["generation"], 2);
}

#[tokio::test]
async fn nothing_is_asked_while_something_is_unknown() {
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
