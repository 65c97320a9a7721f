//! Responses that core refuses.

use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::read_resource;

use super::host::{apply, checking, configured, identity, json, plan, planned, summaries, thing, value};

#[tokio::test]
async fn invalid_plan_is_found_by_conformance_checks() {
    let request = || plan(Json::Null, &thing(json!({"name": "break the plan", "ratio": 0.5})));
    let answer = checking().await.plan_resource_change(request()).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Error: ratio: Bug in the provider"]);
    assert!(answer.diagnostics[0].detail.contains("ratio: a configured value must be planned as configured"));
    // A release does not check plans, because core does.
    let answer = configured().await.plan_resource_change(request()).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
}

#[tokio::test]
async fn invalid_result_is_reported_and_kept() {
    let request = apply(Json::Null, thing(json!({"name": "leave unknown"})), planned("leave unknown"));
    let answer = checking().await.apply_resource_change(request).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Error: status: Bug in the provider"]);
    assert_eq!(json(answer.new_state.as_ref())["id"], "id-early");
}

#[tokio::test]
async fn changed_identity_is_reported() {
    let request = read_resource::Request {
        type_name: "spot_thing".to_owned(),
        current_state: Some(value(thing(json!({"name": "a", "size": 3, "id": "i", "status": "ready"})))),
        current_identity: identity(json!({"name": "b", "region": null})),
        ..read_resource::Request::default()
    };
    // Core does not check identities, so that a release does too.
    for mut client in [checking().await, configured().await] {
        let answer = client.read_resource(request.clone()).await.unwrap().into_inner();
        assert_eq!(summaries(&answer.diagnostics), ["Error: name: Bug in the provider"]);
    }
}
