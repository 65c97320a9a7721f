//! Two resources of one name: a create does not take objects of another resource, and a delete does not delete objects
//! that now belong to another one.

use super::*;
use crate::resources::runner_release::private::Private;

const OWNER: &str = "gitlabspot.io/owner";

fn detail(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().next().unwrap().detail.clone()
}

/// Occurs with `create_before_destroy`, after a rename without `moved`, and with another state.
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
    let text = detail(&planned.diagnostics);
    assert!(
        text.contains("add a `moved` block") && text.contains("import it with the ID \"gitlab-runner/gitlab-runner\""),
        "{text}"
    );
    // A plan with -replace has the private state of the replaced resource, and not the order of the operations.
    second.private = first.private.clone();
    cluster.requests();
    assert_eq!(summaries(&second.apply(&typed()).await), ["Object already exists"]);
    assert!(cluster.writes().iter().all(|line| !line.starts_with("DELETE")));
    assert_eq!(second.state, Raw::Null);
    assert_eq!(first.changes(&typed()).await, [""; 0]);
    // With another full name, the first resource's objects would not conflict, but would be deleted as remaining
    // objects.
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
async fn second_resource_with_the_same_name_in_one_run_is_an_error() {
    let cluster = Cluster::default();
    let mut first = stage(&cluster);
    let mut second = first.beside(RunnerReleaseResource);
    let mut elsewhere = first.beside(RunnerReleaseResource);
    let rbac = object([("create", true.into()), ("cluster_wide", true.into()), ("rules", Raw::Null)]);
    let wide = with(typed(), &[("rbac", rbac)]);
    let other = with(wide.clone(), &[("namespace", "other".into())]);
    let results = tokio::join!(first.apply(&wide), second.apply(&wide), elsewhere.apply(&other));
    // Releases of one name in two namespaces do not conflict, including their cluster-scoped roles.
    assert_eq!(results.2, Diagnostics::new());
    let mut made = 0;
    for (diagnostics, stage, config) in
        [(results.0, first, &wide), (results.1, second, &wide), (results.2, elsewhere, &other)]
    {
        let mut stage = stage;
        if diagnostics == Diagnostics::new() {
            made += 1;
            assert_eq!(stage.changes(config).await, [""; 0]);
        } else {
            assert_eq!(summaries(&diagnostics), ["Object already exists"]);
            assert_eq!(stage.state, Raw::Null);
        }
    }
    assert_eq!(made, 2);
    assert_eq!(["serviceaccounts", "clusterroles"].map(|kind| cluster.objects_of(kind).len()), [2, 2]);
}

/// The create waits for the destroy after a rename without `moved`.
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

/// Another create adopts the Deployment and completes.
fn take_deployment(cluster: &Cluster) {
    cluster.change(MANAGER, |object| object["metadata"]["annotations"] = json!({ OWNER: "other" }));
}

/// When a create detects that it lost its Deployment, its other objects are given to the owner of the Deployment.
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
        assert!(detail(&diagnostics).contains("was adopted by another resource"), "{taken:?}: {diagnostics:?}");
        for kind in ["serviceaccounts", "roles", "rolebindings", "configmaps", "secrets"] {
            let object = cluster.get(&format!("{kind} {PLACE}"));
            assert_eq!(object["metadata"]["annotations"][OWNER], "other", "{taken:?}: {kind}");
        }
        assert_eq!(summaries(&loser.destroy().await), ["Objects of another resource"]);
        assert_eq!(cluster.get(MANAGER)["metadata"]["annotations"][OWNER], "other");
    }
}

#[tokio::test]
async fn release_without_an_owner_id_gets_one_with_its_next_change() {
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
    // No pod is replaced for it.
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
