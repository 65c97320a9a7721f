//! Two concurrent workspaces with different clusters.

use gitlabspot_acceptance_tests::{Engine, Stage};
use tokio::join;

use super::{ADDRESSES, complete};
use crate::complete::RELEASE;

/// The same configuration in two accounts: no run sends a request to the cluster of the other one.
#[tokio::test]
async fn concurrent_runs_for_two_clusters() {
    let ((one, in_one), (other, in_other)) =
        join!(complete("one_cluster", Engine::opentofu()), complete("other_cluster", Engine::opentofu()));
    let (to_one, to_other) = (one.kubernetes_faults(), other.kubernetes_faults());
    join!(in_one.apply(), in_other.apply());
    join!(in_one.assert_stable(), in_other.assert_stable());
    for (stage, workspace) in [(&one, &in_one), (&other, &in_other)] {
        let state = workspace.state().await;
        assert_eq!(state.addresses(), ADDRESSES);
        assert_eq!(state.resource(RELEASE)["namespace"], stage.namespace.name());
    }
    assert!(!to_one.changes().is_empty() && !to_other.changes().is_empty());
    join!(in_one.destroy(), in_other.destroy());
    assert_apart(&one, &other);
    assert_apart(&other, &one);
    join!(one.assert_nothing_remains(), other.assert_nothing_remains());
}

/// Asserts that no request of a run has names of the other one.
fn assert_apart(stage: &Stage, other: &Stage) {
    let calls = serde_json::to_string(&stage.kubernetes_faults().calls()).unwrap();
    assert!(calls.contains(stage.namespace.name()) && !calls.contains(other.namespace.name()));
    let calls: Vec<String> = stage.account.calls().iter().map(|call| call.parameters.to_string()).collect();
    assert!(!calls.concat().contains(other.namespace.name()));
}
