//! Two resources of one name: no create takes what another resource has, and no delete takes what it has lost.

use super::*;
use crate::resources::runner_release::private::Private;

const OWNER: &str = "gitlabspot.io/owner";

fn detail(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().next().unwrap().detail.clone()
}

/// With `create_before_destroy`, after a rename without `moved`, and from another state.
#[tokio::test]
async fn create_refuses_objects_of_another_resource() {
    let cluster = Cluster::default();
    let mut first = stage(&cluster);
    first.apply_wholly(&typed()).await;
    let mut second = stage(&cluster);
    let planned = second.plan(&typed()).await;
    assert!(!planned.diagnostics.has_errors(), "the host would lose what create_before_destroy has set aside");
    assert_eq!(summaries(&planned.diagnostics), ["Object already exists"]);
    assert_eq!(summaries(&second.apply(&typed()).await), ["Object already exists"]);
    let said = detail(&planned.diagnostics);
    assert!(
        said.contains("write a `moved` block") && said.contains("import it as \"gitlab-runner/gitlab-runner\""),
        "{said}"
    );
    // A plan with -replace has the private state of what it replaces, and does not know what goes first.
    second.private = first.private.clone();
    cluster.requests();
    assert_eq!(summaries(&second.apply(&typed()).await), ["Object already exists"]);
    assert!(cluster.writes().iter().all(|line| !line.starts_with("DELETE")));
    assert_eq!(second.state, Raw::Null);
    assert_eq!(first.changes(&typed()).await, [""; 0]);
    // By another full name its objects would not be in the way, and yet be taken for leftovers.
    let mut third = stage(&cluster);
    let other = with(typed(), &[("fullname_override", "other".into())]);
    assert_eq!(summaries(&third.apply(&other).await), ["Object already exists"]);
    assert_eq!(first.changes(&typed()).await, [""; 0]);
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 1);
}

#[tokio::test]
async fn tainted_release_is_adopted_and_not_deleted() {
    let cluster = Cluster::default();
    let mut first = stage(&cluster);
    cluster.inject(Fault::NoNewPods(Json::Null));
    assert_eq!(summaries(&first.apply(&typed()).await), ["Runner manager is not available"]);
    cluster.recover();
    let mut second = stage(&cluster);
    second.apply_wholly(&typed()).await;
    assert_eq!(summaries(&first.destroy().await), ["Objects of another resource"]);
    assert_eq!(second.changes(&typed()).await, [""; 0]);
    assert_eq!(second.destroy().await, Diagnostics::new());
    assert_eq!(cluster.resources(), [""; 0]);
}

#[tokio::test]
async fn of_two_in_one_run_one_is_refused() {
    let cluster = Cluster::default();
    let mut first = stage(&cluster);
    let mut second = first.beside(RunnerReleaseResource);
    let mut elsewhere = first.beside(RunnerReleaseResource);
    let rbac = object([("create", true.into()), ("cluster_wide", true.into()), ("rules", Raw::Null)]);
    let wide = with(typed(), &[("rbac", rbac)]);
    let other = with(wide.clone(), &[("namespace", "other".into())]);
    let said = tokio::join!(first.apply(&wide), second.apply(&wide), elsewhere.apply(&other));
    // Of one name in two namespaces, nothing is in the way of the other, roles of the cluster included.
    assert_eq!(said.2, Diagnostics::new());
    let mut made = 0;
    for (said, stage, config) in [(said.0, first, &wide), (said.1, second, &wide), (said.2, elsewhere, &other)] {
        let mut stage = stage;
        if said == Diagnostics::new() {
            made += 1;
            assert_eq!(stage.changes(config).await, [""; 0]);
        } else {
            assert_eq!(summaries(&said), ["Object already exists"]);
            assert_eq!(stage.state, Raw::Null);
        }
    }
    assert_eq!(made, 2);
    assert_eq!(["serviceaccounts", "clusterroles"].map(|kind| cluster.objects_of(kind).len()), [2, 2]);
}

/// The destroy of a rename without `moved`, which the create waits for.
#[tokio::test]
async fn a_create_waits_for_a_destroy_of_the_same_run() {
    let cluster = Cluster::default();
    let mut first = stage(&cluster);
    first.apply_wholly(&typed()).await;
    let mut second = first.beside(RunnerReleaseResource);
    let config = typed();
    let late = async {
        first.context.clock.sleep(std::time::Duration::from_secs(2)).await;
        first.destroy().await
    };
    let (made, destroyed) = tokio::join!(biased; second.apply(&config), late);
    assert_eq!((destroyed, made), (Diagnostics::new(), Diagnostics::new()));
    assert_eq!(second.changes(&typed()).await, [""; 0]);
}

/// Another create takes over the Deployment and completes.
fn take_deployment(cluster: &Cluster) {
    cluster.change(MANAGER, |object| object["metadata"]["annotations"] = json!({ OWNER: "other" }));
}

/// Whenever a create notices that it lost its Deployment, its other objects are given to the owner of the Deployment.
#[tokio::test]
async fn create_that_loses_its_deployment_gives_its_objects_back() {
    let when_applied = Fault::After("APPLY deployments", take_deployment);
    let during_rollout = Fault::After("APPLY deployments", |cluster| {
        cluster.inject(Fault::After("GET deployments", take_deployment));
    });
    for taken in [when_applied, during_rollout] {
        let cluster = Cluster::default();
        cluster.inject(taken.clone());
        let mut loser = stage(&cluster);
        let diagnostics = loser.apply(&typed()).await;
        assert!(detail(&diagnostics).contains("was adopted by another create"), "{taken:?}: {diagnostics:?}");
        for kind in ["serviceaccounts", "roles", "rolebindings", "configmaps", "secrets"] {
            let object = cluster.get(&format!("{kind} {PLACE}"));
            assert_eq!(object["metadata"]["annotations"][OWNER], "other", "{taken:?}: {kind}");
        }
        assert_eq!(summaries(&loser.destroy().await), ["Objects of another resource"]);
        assert_eq!(cluster.get(MANAGER)["metadata"]["annotations"][OWNER], "other");
    }
}

#[tokio::test]
async fn a_release_of_before_there_were_ids_gets_one_with_its_next_change() {
    let cluster = Cluster::default();
    let mut old = stage(&cluster);
    old.apply_wholly(&typed()).await;
    let kinds = ["serviceaccounts", "roles", "rolebindings", "configmaps", "deployments", "secrets"];
    for kind in kinds {
        cluster.change(&format!("{kind} {PLACE}"), |object| {
            object["metadata"]["annotations"].as_object_mut().unwrap().remove(OWNER);
        });
    }
    old.change_private(|private: &mut Private| private.objects.owner = None);
    assert_eq!(old.changes(&typed()).await, [""; 0]);
    assert_eq!(summaries(&stage(&cluster).apply(&typed()).await), ["Object already exists"]);
    old.apply_wholly(&with(typed(), &[("deployment_labels", object_of_labels())])).await;
    let id = cluster.get(MANAGER)["metadata"]["annotations"][OWNER].clone();
    assert!(id.is_string());
    // No pod is started anew for it.
    assert_eq!(cluster.get(MANAGER)["metadata"]["generation"], 1);
    // The state of that apply was lost.
    old.change_private(|private: &mut Private| private.objects.owner = None);
    old.apply_wholly(&typed()).await;
    assert_eq!(cluster.get(MANAGER)["metadata"]["annotations"][OWNER], id);
    old.change_private(|private: &mut Private| private.objects.owner = None);
    assert_eq!(old.destroy().await, Diagnostics::new());
    assert_eq!(cluster.resources(), [""; 0]);
}

fn object_of_labels() -> Raw {
    object([("team", "ci".into())])
}
