//! Configurations that are generated for imported groups.

use gitlabspot_testing::aws::Account;
use tfplugin::framework::Raw;

use super::{Config, guide, list, node_role, object, stage, text, with, with_role_arn};
use crate::testing::{Stage, summaries};

/// Imports a group that was created from this configuration.
async fn imported(config: &Config) -> (Account, Stage) {
    let account = Account::default();
    let mut first = stage(&account);
    first.apply_wholly(config).await;
    let name = first.state.get("id");
    let mut second = stage(&account);
    assert!(!second.import(name.as_str().unwrap()).await.has_errors());
    (account, second)
}

/// A configuration with a name that appears to be generated from a prefix.
fn prefixed() -> Config {
    with(&[("name", text("build-20260102030405678900000001"))])
}

fn subnets() -> Config {
    with(&[("availability_zones", Raw::Null), ("subnet_ids", list(&["subnet-b"]))])
}

fn with_launch_template() -> Config {
    let template = object(&[("id", text("lt-1")), ("name", Raw::Null), ("version", text("1"))]);
    with(&[("launch_template", template), ("remote_access", Raw::Null)])
}

fn with_template() -> Config {
    with(&[("remote_access", Raw::Null), ("node_role", node_role(&["auto_scaler"]))])
}

#[tokio::test]
async fn generated_configurations_plan_without_changes() {
    for config in [guide(), with_role_arn(), prefixed(), subnets(), with_launch_template(), with_template()] {
        let (_, stage) = imported(&config).await;
        assert_eq!(stage.differences_to(&stage.written_by_hosts()).await, [""; 0]);
        assert_eq!(stage.differences_to(&stage.generated()).await, [""; 0]);
    }
}

#[tokio::test]
async fn generated_configuration_has_one_attribute_of_each_pair() {
    let (_, stage) = imported(&prefixed()).await;
    let generated = stage.generated();
    for name in ["name", "availability_zones", "node_role_arn", "desired_size", "version", "release_version"] {
        assert_eq!(generated.get(name), Raw::Null, "{name}");
    }
    assert_eq!(generated.get("name_prefix"), text("build-"));
    assert_eq!(generated.get("subnet_ids"), list(&["subnet-b"]));
    assert_eq!(generated.get("node_role").get("name"), stage.state.get("node_role").get("name"));
}

#[tokio::test]
async fn conflicting_pairs_are_refused() {
    let (_, mut stage) = imported(&subnets()).await;
    let both = with(&[("availability_zones", list(&["af-south-1b"])), ("subnet_ids", list(&["subnet-b"]))]);
    assert_eq!(stage.differences(&both).await, [""; 0]);
    let others = with(&[("availability_zones", list(&["af-south-1a"])), ("subnet_ids", list(&["subnet-b"]))]);
    assert_eq!(summaries(&stage.plan(&others).await.diagnostics), ["Conflicting arguments"]);
    stage.state = Raw::Null;
    let planned = stage.plan(&both).await;
    assert!(summaries(&planned.diagnostics).contains(&"Conflicting arguments".to_owned()));
    let template = object(&[("id", text("lt-1")), ("name", text("build")), ("version", Raw::Null)]);
    let both = with(&[("launch_template", template), ("remote_access", Raw::Null)]);
    assert!(summaries(&stage.plan(&both).await.diagnostics).contains(&"Conflicting arguments".to_owned()));
}
