//! Updates of the version.

use gitlabspot_testing::aws::{ALL, Account, Fault};
use serde_json::json;
use tfplugin::framework::Raw;

use super::{guide, object, stage, text, with};

#[tokio::test]
async fn az_rebalance_is_resumed_during_a_version_update() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.changes();
    stage.apply_wholly(&with(&[("version", text("1.35"))])).await;
    assert_eq!(account.changes(), ["ResumeProcesses", "UpdateNodegroupVersion", "SuspendProcesses"]);
    assert!(account.state().autoscaling.az_rebalance_is_suspended);
}

#[tokio::test]
async fn az_rebalance_is_suspended_again_after_a_failure() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().eks.updates.push_back(json!({ "status": "Failed", "errors": [] }));
    assert!(stage.apply(&with(&[("version", text("1.35"))])).await.has_errors());
    assert!(account.state().autoscaling.az_rebalance_is_suspended);
}

#[tokio::test]
async fn resumed_az_rebalance_is_suspended_again() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().autoscaling.az_rebalance_is_suspended = false;
    assert_eq!(stage.changes(&guide()).await, ["status", "suspend_az_rebalance"]);
    stage.apply_wholly(&guide()).await;
    assert!(account.state().autoscaling.az_rebalance_is_suspended);
}

/// An update of the version can take an hour, during which the autoscaler changes the size: a smaller maximum in the
/// same apply is compared with the size after the update.
#[tokio::test]
async fn size_after_the_version_update_is_compared() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().eks.size_after_update = Some(4);
    let config = with(&[("version", text("1.35")), ("max_size", 2.into())]);
    assert!(!stage.apply(&config).await.has_errors());
    let sent = account.bodies("UpdateNodegroupConfig").remove(0);
    assert_eq!(sent["scalingConfig"], json!({ "minSize": 0, "maxSize": 2, "desiredSize": 2 }));
    assert_eq!(stage.changes(&config).await, [""; 0]);
}

#[tokio::test]
async fn a_pinned_release_is_kept_when_the_template_changes() {
    let account = Account::default();
    let mut stage = stage(&account);
    let template = |version: &str| object(&[("id", text("lt-1")), ("name", Raw::Null), ("version", text(version))]);
    let config = |version: &str| {
        let pin = ("release_version", text("1.34.0-20250101"));
        with(&[pin, ("launch_template", template(version)), ("remote_access", Raw::Null)])
    };
    stage.apply_wholly(&config("1")).await;
    stage.apply_wholly(&config("2")).await;
    let sent = account.bodies("UpdateNodegroupVersion").remove(0);
    assert_eq!((&sent["version"], &sent["releaseVersion"]), (&json!("1.34"), &json!("1.34.0-20250101")));
}

#[tokio::test]
async fn release_version_of_another_minor_updates_the_version() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&with(&[("release_version", text("1.34.0-20260101"))])).await;
    assert_eq!(account.bodies("CreateNodegroup").remove(0)["version"], "1.34");
    stage.apply_wholly(&with(&[("release_version", text("1.35.1-20260301"))])).await;
    let sent = account.bodies("UpdateNodegroupVersion").remove(0);
    assert_eq!((&sent["version"], &sent["releaseVersion"]), (&json!("1.35"), &json!("1.35.1-20260301")));
}

const NOT_ACTIVE: Fault = Fault::Error(400, "InvalidRequestException", "Cluster 'prod' is not in ACTIVE status");

#[tokio::test]
async fn create_waits_for_an_update_of_the_cluster() {
    let account = Account::default();
    let mut stage = stage(&account);
    account.fault("CreateNodegroup", 0..30, NOT_ACTIVE);
    stage.apply_wholly(&guide()).await;
    assert!(stage.clock.passed() > std::time::Duration::from_secs(300), "{:?}", stage.clock.passed());
    for action in ["UpdateNodegroupVersion", "UpdateNodegroupConfig", "DeleteNodegroup"] {
        account.fault(action, 0..20, NOT_ACTIVE);
    }
    stage.apply_wholly(&with(&[("version", text("1.35")), ("max_size", 9.into())])).await;
    assert!(!stage.destroy().await.has_errors());
}

#[tokio::test]
async fn updating_cluster_ends_the_create_at_its_timeout() {
    for code in ["InvalidRequestException", "ResourceInUseException"] {
        let account = Account::default();
        let mut stage = stage(&account);
        account.fault("CreateNodegroup", ALL, Fault::Error(400, code, "Cluster 'prod' is not in ACTIVE status"));
        let timeouts = object(&[("create", text("10m")), ("update", Raw::Null), ("delete", Raw::Null)]);
        let diagnostics = stage.apply(&with(&[("timeouts", timeouts)])).await;
        let detail = diagnostics.iter().next().unwrap().detail.to_string();
        assert!(detail.contains("timed out after 10m") && detail.contains("is not in ACTIVE status"), "{detail}");
        assert_eq!(stage.state, Raw::Null);
        assert!(account.state().iam.principals.is_empty());
    }
}
