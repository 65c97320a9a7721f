//! The role of the nodes and its access entry.

use gitlabspot_testing::aws::iam::CREATED_SECONDS;
use gitlabspot_testing::aws::{ALL, Account, Fault};

use super::{guide, stage};

#[tokio::test]
async fn access_entry_is_deleted_with_the_role() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    assert!(account.state().eks.access_entry.is_some());
    account.changes();
    assert!(!stage.destroy().await.has_errors());
    let changes = account.changes();
    let at = |action: &str| changes.iter().position(|change| change == action).unwrap();
    assert!(
        at("DeleteNodegroup") < at("DeleteAccessEntry") && at("DeleteAccessEntry") < at("DeleteRole"),
        "{changes:?}"
    );
    assert_eq!(account.state().eks.access_entry, None);
}

#[tokio::test]
async fn stale_access_entry_is_deleted_before_the_group_is_created() {
    let account = Account::default();
    account.state().eks.access_entry = Some(CREATED_SECONDS - 1);
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    let changes = account.changes();
    let at = |action: &str| changes.iter().position(|change| change == action).unwrap();
    assert!(at("DeleteAccessEntry") < at("CreateNodegroup"), "{changes:?}");
    assert!(account.state().eks.access_entry > Some(CREATED_SECONDS));
}

#[tokio::test]
async fn clusters_without_access_entries_have_none_to_delete() {
    let account = Account::default();
    let message =
        "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.";
    for action in ["DescribeAccessEntry", "DeleteAccessEntry"] {
        account.fault(action, 0..10, Fault::Error(400, "InvalidRequestException", message));
    }
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn unknown_principal_of_a_service_fails_without_a_wait() {
    let account = Account::default();
    let message = "Invalid principal in policy: \"SERVICE\":\"ec2.amazonaws.eu\"";
    account.fault("CreateRole", ALL, Fault::Error(400, "MalformedPolicyDocument", message));
    let diagnostics = stage(&account).apply(&guide()).await;
    assert!(diagnostics.iter().next().unwrap().detail.contains("ec2.amazonaws.eu"), "{diagnostics:?}");
    assert_eq!(account.bodies("CreateRole").len(), 1);
}

#[tokio::test]
async fn instance_profile_of_the_role_is_named_without_a_wait() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    let profiles = |names: &[&str]| {
        let mut state = account.state();
        let role = state.iam.principals.values_mut().next().unwrap();
        role.profiles = names.iter().map(|name| (*name).to_owned()).collect();
    };
    profiles(&["eks-0a1b2c3d-0000-1111-2222-333344445555", "bastion"]);
    let before = stage.clock.passed();
    let diagnostics = stage.destroy().await;
    let detail = diagnostics.iter().next().unwrap().detail.to_string();
    assert!(detail.contains("is in the instance profile bastion."), "{detail}");
    assert!(stage.clock.passed() - before < std::time::Duration::from_secs(60));
    profiles(&[]);
    assert!(!stage.destroy().await.has_errors());
}
