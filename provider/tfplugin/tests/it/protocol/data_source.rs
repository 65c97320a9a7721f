use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::{read_data_source, validate_data_resource_config};

use super::host::{checking, json, summaries, value};

fn config(region: &str) -> Json {
    json!({"region": region, "names": null})
}

async fn read(region: &str) -> read_data_source::Response {
    let request = read_data_source::Request {
        type_name: "spot_zones".to_owned(),
        config: Some(value(config(region))),
        ..read_data_source::Request::default()
    };
    checking().await.read_data_source(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn result_and_warnings_are_returned() {
    let answer = read("here").await;
    assert_eq!(summaries(&answer.diagnostics), ["Warning: region: Slow region"]);
    assert_eq!(json(answer.state.as_ref()), json!({"region": "here", "names": ["a", "b"]}));
}

#[tokio::test]
async fn failure_keeps_the_warnings() {
    let answer = read("moon").await;
    assert_eq!(summaries(&answer.diagnostics), ["Warning: region: Slow region", "Error: : It failed"]);
}

#[tokio::test]
async fn unknown_result_is_a_provider_bug() {
    let answer = read("forgetful").await;
    assert_eq!(summaries(&answer.diagnostics), ["Warning: region: Slow region", "Error: names: Bug in the provider"]);
}

#[tokio::test]
async fn configuration_is_validated() {
    let request =
        validate_data_resource_config::Request { type_name: "spot_zones".to_owned(), config: Some(value(config(""))) };
    let answer = checking().await.validate_data_resource_config(request).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Error: region: Empty region"]);
}
