//! The role of the nodes and its access entry.

use super::aws::{Aws, Fault, ROLE_MADE};
use super::{guide, stage};

#[tokio::test]
async fn its_access_entry_goes_with_it() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    assert!(aws.world().access_entry.is_some());
    aws.changes();
    assert!(!stage.destroy().await.has_errors());
    let changes = aws.changes();
    let at = |action: &str| changes.iter().position(|change| change == action).unwrap();
    assert!(
        at("DeleteNodegroup") < at("DeleteAccessEntry") && at("DeleteAccessEntry") < at("DeleteRole"),
        "{changes:?}"
    );
    assert_eq!(aws.world().access_entry, None);
}

#[tokio::test]
async fn an_access_entry_of_its_predecessor_goes_before_the_group_is_made() {
    let aws = Aws::default();
    aws.world().access_entry = Some(ROLE_MADE - 1);
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    let changes = aws.changes();
    let at = |action: &str| changes.iter().position(|change| change == action).unwrap();
    assert!(at("DeleteAccessEntry") < at("CreateNodegroup"), "{changes:?}");
    assert!(aws.world().access_entry > Some(ROLE_MADE));
}

#[tokio::test]
async fn clusters_without_access_entries_have_none_to_delete() {
    let aws = Aws::default();
    let message =
        "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.";
    for action in ["DescribeAccessEntry", "DeleteAccessEntry"] {
        aws.fault(action, 10, Fault::Error(400, "InvalidRequestException", message));
    }
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    assert!(!stage.destroy().await.has_errors());
    assert!(aws.world().roles.is_empty());
}

#[tokio::test]
async fn an_unknown_service_is_not_waited_for() {
    let aws = Aws::default();
    let message = "Invalid principal in policy: \"SERVICE\":\"ec2.amazonaws.eu\"";
    aws.fault("CreateRole", 1000, Fault::Error(400, "MalformedPolicyDocument", message));
    let diagnostics = stage(&aws).apply(&guide()).await;
    assert!(diagnostics.iter().next().unwrap().detail.contains("ec2.amazonaws.eu"), "{diagnostics:?}");
    assert_eq!(aws.bodies("CreateRole").len(), 1);
}

#[tokio::test]
async fn a_profile_that_has_it_is_named_at_once() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.world().profiles = vec!["eks-0a1b2c3d-0000-1111-2222-333344445555".to_owned(), "bastion".to_owned()];
    let before = stage.clock.passed();
    let diagnostics = stage.destroy().await;
    let detail = diagnostics.iter().next().unwrap().detail.to_string();
    assert!(detail.contains("is in the instance profile bastion."), "{detail}");
    assert!(stage.clock.passed() - before < std::time::Duration::from_secs(60));
    aws.world().profiles.clear();
    assert!(!stage.destroy().await.has_errors());
}
