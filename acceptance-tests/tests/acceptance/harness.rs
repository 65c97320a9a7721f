//! The harness and the cloud work together: what every other test here takes for granted.

use gitlabspot_acceptance_tests::{Cloud, Fault};

#[tokio::test]
async fn accounts_are_apart() {
    let cloud = Cloud::running();
    let (one, other) = (cloud.account(), cloud.account());
    let role = one.iam().create_user().user_name("only-here").send().await.unwrap();
    assert_eq!(role.user().unwrap().user_name(), "only-here");
    assert_eq!(one.leftovers()["users"], ["only-here"]);
    assert!(other.leftovers().is_empty());
    assert_eq!(one.calls_of("iam", "CreateUser").len(), 1);
    assert!(other.calls_of("iam", "CreateUser").is_empty());
    one.iam().delete_user().user_name("only-here").send().await.unwrap();
    assert!(one.leftovers().is_empty());
}

#[tokio::test]
async fn an_account_has_a_cluster_of_which_the_api_server_is_real() {
    let cloud = Cloud::running();
    let account = cloud.account();
    let cluster = account.eks().describe_cluster().name(account.cluster()).send().await.unwrap();
    assert_eq!(cluster.cluster().unwrap().endpoint(), Some(cloud.kubernetes_host()));
    assert_eq!(account.subnet_ids().keys().collect::<Vec<_>>(), ["af-south-1a", "af-south-1b", "af-south-1c"]);
}

#[tokio::test]
async fn a_fault_hits_one_account_and_is_seen_in_its_log() {
    let cloud = Cloud::running();
    let account = cloud.account();
    account.inject(Fault::throttle("sts", "GetCallerIdentity"));
    let identity = account.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(account.id()));
    let calls = account.calls_of("sts", "GetCallerIdentity");
    let outcomes: Vec<_> = calls.iter().map(|call| (call.status, call.error.as_deref())).collect();
    assert_eq!(outcomes, [(Some(400), Some("Throttling")), (Some(200), None)]);
}
