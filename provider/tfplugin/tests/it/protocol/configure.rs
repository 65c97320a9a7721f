use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::{configure_provider, validate_provider_config};

use super::host::{fresh, summaries, value};

async fn configure(version: &str, config: Json) -> Vec<String> {
    let request = configure_provider::Request {
        terraform_version: version.to_owned(),
        config: Some(value(config)),
        client_capabilities: None,
    };
    summaries(&fresh().await.configure_provider(request).await.unwrap().into_inner().diagnostics)
}

#[tokio::test]
async fn unknown_and_missing_settings_are_accepted() {
    for config in [json!({"region": "<unknown>"}), json!({"region": null}), Json::Null] {
        assert_eq!(configure("1.12.0", config).await, [""; 0]);
    }
}

#[tokio::test]
async fn refused_setting_names_its_attribute() {
    assert_eq!(configure("1.12.0", json!({"region": "moon"})).await, ["Error: region: No such region"]);
}

#[tokio::test]
async fn unsupported_hosts_are_refused() {
    for version in ["1.10.9", "1.5.7"] {
        let summaries = configure(version, json!({"region": null})).await;
        assert_eq!(summaries, ["Error: : Terraform or OpenTofu is too old"], "{version}");
    }
    for version in ["1.11.0-beta1", "0.0.0", ""] {
        assert_eq!(configure(version, json!({"region": null})).await, [""; 0], "{version}");
    }
}

#[tokio::test]
async fn mismatched_type_is_a_diagnostic() {
    let summaries = configure("1.12.0", json!({"region": [1]})).await;
    assert_eq!(summaries, ["Error: region: Value does not fit the schema"]);
}

#[tokio::test]
async fn provider_block_is_validated() {
    let request = validate_provider_config::Request { config: Some(value(json!({"region": ""}))) };
    let answer = fresh().await.validate_provider_config(request).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Error: region: Empty region"]);
}
