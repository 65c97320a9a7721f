//! Errors during a create: no object is lost or created twice, and no object of others is changed.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, NAME, guide, node_group, node_group_of_others};

const ROLE_NOT_ASSUMABLE: &str = "Role could not be assumed because the trusted entity is not correct";

/// Client tokens of the create requests that EKS received.
fn tokens(account: &gitlabspot_acceptance_tests::Account) -> Vec<String> {
    let calls = account.calls_of("eks", "CreateNodegroup");
    calls.iter().map(|call| call.parameters["clientRequestToken"].to_string()).collect()
}

fn assert_one_token(account: &gitlabspot_acceptance_tests::Account, attempts: usize) {
    let tokens = tokens(account);
    assert_eq!(tokens.len(), attempts);
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

/// N3: a create waits until the node group is active, and tags the Auto Scaling Group only then.
#[tokio::test]
async fn create_waits_until_active_and_tags_the_asg() {
    let (stage, workspace) = guide("takes_its_time", json!({})).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 12 }));
    workspace.apply().await;
    let calls: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let at = |action: &str| calls.iter().position(|call| call == action).unwrap();
    let looks = calls[..at("CreateOrUpdateTags")].iter().filter(|call| *call == "DescribeNodegroup").count();
    assert!(at("CreateNodegroup") < at("CreateOrUpdateTags") && looks > 12, "{calls:?}");
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N4: the error of a failed create has the issues of EKS, the state has the group, and the next apply replaces it.
#[tokio::test]
async fn create_failed_is_explained_and_replaced() {
    let (stage, workspace) = guide("create_failed", json!({})).await;
    let issue = |code: &str, message: &str, id: &str| json!({ "code": code, "message": message, "resourceIds": [id] });
    stage.account.plan_node_groups(&json!({
        "on": "create",
        "status": "CREATE_FAILED",
        "issues": [
            issue("AsgInstanceLaunchFailures", "Could not launch Spot Instances.", "eks-x"),
            issue("NodeCreationFailure", "Instances failed to join the kubernetes cluster", "i-1"),
        ],
    }));
    let printed = workspace.try_apply().await.failed();
    for part in ["AsgInstanceLaunchFailures (eks-x): Could not launch Spot Instances", "NodeCreationFailure (i-1)"] {
        assert!(printed.contains(part), "{printed}");
    }
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N5, N6, N7: some or all responses or requests are lost. There is one create with the same token in all attempts, and
/// one group.
#[tokio::test]
async fn lost_responses_create_one_group() {
    let drops = [
        ("after", Fault::drop_after("eks", "CreateNodegroup"), 1, 2),
        ("before", Fault::drop_before("eks", "CreateNodegroup"), 2, 3),
        // All attempts of the provider fail. The read that follows returns the group.
        ("always", Fault::drop_after("eks", "CreateNodegroup"), 11, 11),
    ];
    for (name, fault, times, attempts) in drops {
        let (stage, workspace) = guide(&format!("lost_{name}"), json!({})).await;
        stage.account.inject(fault.times(times));
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_one_token(&stage.account, attempts);
        let creates = stage.account.changes().into_iter().filter(|action| action == "CreateNodegroup").count();
        assert_eq!((creates, stage.account.leftovers()["node_groups"].len()), (1, 1));
        workspace.destroy().await;
        stage.assert_nothing_remains().await;
    }
}

/// N8: a group of others with the same name is not changed.
#[tokio::test]
async fn existing_group_of_others_is_not_changed() {
    let (stage, workspace) = guide("name_is_taken", json!({})).await;
    node_group_of_others(&stage.account).await;
    let before = node_group(&stage.account).await;
    stage.account.forget();
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Node group already exists"), "{printed}");
    assert!(printed.contains(&format!("tofu import ADDRESS prod:{NAME}")), "{printed}");
    assert_eq!(stage.account.changes(), [""; 0]);
    assert_eq!(node_group(&stage.account).await, before);
    assert!(!workspace.state().await.contains(ADDRESS));
}

/// N10, N11: throttling, and HTML pages in place of responses, during a wait are retried.
#[tokio::test]
async fn throttling_and_invalid_responses_in_a_wait_are_retried() {
    let (stage, workspace) = guide("trouble", json!({})).await;
    stage.account.inject(Fault::throttle("eks", "DescribeNodegroup").after(1).times(5));
    stage.account.inject(Fault::page("eks", "DescribeNodegroup", 502).after(3).times(2));
    workspace.apply().await;
    let looks = stage.account.calls_of("eks", "DescribeNodegroup");
    let of = |status: u16| looks.iter().filter(|look| look.status == Some(status)).count();
    assert_eq!((of(429), of(502)), (5, 2), "{looks:?}");
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A new group and a new update are missing from responses for some time after the create.
#[tokio::test]
async fn eventual_consistency_after_a_create_is_tolerated() {
    let (stage, workspace) = guide("not_shown_yet", json!({})).await;
    let unknown = |action: &str, what: &str| Fault::error("eks", action, 404, "ResourceNotFoundException", what);
    // The first read, before the create, returns none.
    stage.account.inject(unknown("DescribeNodegroup", "No node group found for name: build.").after(1).times(2));
    workspace.apply().await;
    workspace.assert_stable().await;
    stage.account.inject(unknown("DescribeUpdate", "No update found for ID: 1").times(2));
    workspace.set(&json!({ "max_size": 6 }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N12: a create with a role that has not propagated is retried. Another invalid parameter is an error at once, and no
/// object remains.
#[tokio::test]
async fn role_propagation_is_retried() {
    let (stage, workspace) = guide("new_role", json!({})).await;
    let create = |message: &str| Fault::error("eks", "CreateNodegroup", 400, "InvalidParameterException", message);
    stage.account.inject(create(ROLE_NOT_ASSUMABLE).times(3));
    workspace.apply().await;
    assert_one_token(&stage.account, 4);
    workspace.destroy().await;
    stage.account.forget();

    stage.account.inject(create("Instance type c9.huge is not supported"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("c9.huge is not supported") && printed.contains("Nothing was created"), "{printed}");
    assert_eq!(tokens(&stage.account).len(), 1);
    stage.assert_nothing_remains().await;
}

/// N13: a role that never propagates is an error after two minutes, with the message of EKS.
#[tokio::test]
async fn role_that_never_propagates_times_out() {
    let (stage, workspace) = guide("no_role", json!({})).await;
    let fault = Fault::error("eks", "CreateNodegroup", 400, "InvalidParameterException", ROLE_NOT_ASSUMABLE);
    stage.account.inject(fault.times(0));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("timed out after 2m") && printed.contains(ROLE_NOT_ASSUMABLE), "{printed}");
    assert!(!workspace.state().await.contains(ADDRESS));
    stage.assert_nothing_remains().await;
}

/// N14: the error of a create that exceeds its timeout has the last status, and the state has the group.
#[tokio::test]
async fn create_timeout_names_the_last_status() {
    let (stage, workspace) = guide("too_long", json!({ "timeouts": { "create": "2m" } })).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 10_000 }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("timed out after") && printed.contains("last observed: status CREATING"), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N26: if two configurations create the same group concurrently, one succeeds and the other does not change the group.
#[tokio::test]
async fn concurrent_creates_of_one_name() {
    let (stage, one) = guide("two_at_once", json!({})).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 6 }));
    let other = one.twin();
    let (first, second) = tokio::join!(one.try_apply(), other.try_apply());
    let (winner, loser, printed) = match (first.code, second.code) {
        (Some(0), Some(_)) => (one, other, second.failed()),
        (Some(_), Some(0)) => (other, one, first.failed()),
        codes => panic!("{codes:?}: {first} {second}"),
    };
    assert!(printed.contains("Node group already exists"), "{printed}");
    assert!(!loser.state().await.contains(ADDRESS));
    winner.assert_stable().await;
    winner.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N27: credentials that expire during a wait are an error with a recommendation, and the state has the group.
#[tokio::test]
async fn credentials_expired_in_a_wait_are_an_error() {
    let (stage, workspace) = guide("expired", json!({})).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 6 }));
    let expired = "The security token included in the request is expired";
    let fault = Fault::error("eks", "DescribeNodegroup", 403, "ExpiredTokenException", expired);
    stage.account.inject(fault.after(2).times(100));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("credentials have expired"), "{printed}");
    stage.account.forget();
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
