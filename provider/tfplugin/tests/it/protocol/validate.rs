use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::{ClientCapabilities, validate_resource_config};

use super::host::{fresh, summaries, thing, value, write_only_allowed};

async fn validate(config: Json, client_capabilities: Option<ClientCapabilities>) -> Vec<String> {
    let request = validate_resource_config::Request {
        type_name: "spot_thing".to_owned(),
        config: Some(value(config)),
        client_capabilities,
    };
    summaries(&fresh().await.validate_resource_config(request).await.unwrap().into_inner().diagnostics)
}

#[tokio::test]
async fn unknown_values_are_accepted() {
    let config =
        thing(json!({"name": "<unknown>", "taints": "<unknown>", "rules": [{"kind": "<unknown>", "level": null}]}));
    assert_eq!(validate(config, write_only_allowed()).await, [""; 0]);
}

#[tokio::test]
async fn errors_name_their_attribute() {
    assert_eq!(validate(thing(json!({"name": ""})), write_only_allowed()).await, ["Error: name: Empty name"]);
}

/// No API stores a null element of a list, so that every plan would show it again.
#[tokio::test]
async fn null_element_of_a_list_is_an_error() {
    let config = thing(json!({"name": "a", "steps": ["one", null]}));
    assert_eq!(validate(config, write_only_allowed()).await, ["Error: steps[1]: Null element"]);
}

#[tokio::test]
async fn fraction_does_not_hide_other_errors() {
    let config = thing(json!({"name": "", "size": 2.5, "steps": [null], "options": {"kind": null, "level": "1e20"}}));
    let found = ["Error: steps[0]: Null element", "Error: size: Invalid number", "Error: options: Invalid number"];
    let answer = validate(config, write_only_allowed()).await;
    assert_eq!(answer, [&found[..], &["Error: name: Empty name"]].concat());
}

#[tokio::test]
async fn write_only_values_need_a_supporting_host() {
    let config = || thing(json!({"name": "a", "token_wo": "secret"}));
    assert_eq!(validate(config(), write_only_allowed()).await, [""; 0]);
    for old in [None, Some(ClientCapabilities::default())] {
        assert_eq!(validate(config(), old).await, ["Error: token_wo: Write-only arguments are not supported here"]);
    }
    assert_eq!(validate(thing(json!({"name": "a"})), None).await, [""; 0]);
}

#[tokio::test]
async fn large_configuration_is_read() {
    let steps: Vec<_> = std::iter::repeat_n(json!("x".repeat(1 << 16)), 100).collect();
    assert_eq!(validate(thing(json!({"name": "a", "steps": steps})), write_only_allowed()).await, [""; 0]);
}

#[tokio::test]
async fn panic_is_a_diagnostic_without_its_message() {
    let request = validate_resource_config::Request {
        type_name: "spot_thing".to_owned(),
        config: Some(value(thing(json!({"name": "panic in validate"})))),
        client_capabilities: write_only_allowed(),
    };
    let mut client = fresh().await;
    let answer = client.validate_resource_config(request.clone()).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Error: : Bug in the provider"]);
    let detail = &answer.diagnostics[0].detail;
    assert!(detail.contains("ValidateResourceConfig of spot_thing") && !detail.contains("secret"), "{detail}");
    // The process continues.
    let request = validate_resource_config::Request { config: Some(value(thing(json!({"name": "a"})))), ..request };
    assert_eq!(client.validate_resource_config(request).await.unwrap().into_inner().diagnostics, []);
}
