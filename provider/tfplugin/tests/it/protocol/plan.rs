use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::plan_resource_change::{Request, Response};

use super::host::{checking, fresh, identity, identity_json, json, null, path, plan, planned, summaries, thing, value};

async fn planned_by(request: Request) -> Response {
    checking().await.plan_resource_change(request).await.unwrap().into_inner()
}

fn replaced(answer: &Response) -> Vec<String> {
    answer.requires_replace.iter().map(path).collect()
}

fn existing() -> Json {
    thing(json!({"name": "a", "size": 3, "id": "id-a", "status": "ready"}))
}

#[tokio::test]
async fn create_plans_configured_and_default_values() {
    let config = thing(json!({
        "name": "a", "ratio": 0.1, "enabled": true, "labels": {"k": "v", "u": "<unknown>"}, "zones": ["b", "a"],
        "steps": ["x", null], "taints": [{"key": "k", "value": null}], "options": {"kind": "k", "level": null},
        "rules": [{"kind": null, "level": 1}], "homes": {"h": {"kind": null, "level": null}}, "token_wo": "secret",
        "timeouts": {"create": "1m", "update": null, "delete": null}
    }));
    let answer = planned_by(plan(Json::Null, &config)).await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(
        json(answer.planned_state.as_ref()),
        thing(json!({
            "name": "a", "size": 3, "ratio": "0.1", "enabled": true, "labels": {"k": "v", "u": "<unknown>"},
            "zones": ["a", "b"], "steps": ["x", null], "taints": [{"key": "k", "value": null}],
            "options": {"kind": "k", "level": "<unknown>"}, "rules": [{"kind": null, "level": 1}],
            "homes": {"h": {"kind": null, "level": "<unknown>"}},
            "timeouts": {"create": "1m", "update": null, "delete": null}, "id": "<unknown>", "status": "<unknown>"
        }))
    );
    assert_eq!(identity_json(answer.planned_identity.as_ref()), json!({"name": "a", "region": "af-south-1"}));
    assert!(!answer.legacy_type_system && answer.deferred.is_none());
}

#[tokio::test]
async fn number_keeps_its_digits() {
    let digits = "0.66666666666666666666666666666666666666667";
    let answer = planned_by(plan(Json::Null, &thing(json!({"name": "a", "ratio": digits})))).await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(json(answer.planned_state.as_ref())["ratio"], digits);
}

#[tokio::test]
async fn refinement_of_an_unknown_value_is_no_difference() {
    let config = thing(json!({"name": "<begins cache-", "labels": {"k": "<begins x"}, "steps": ["<begins y"]}));
    let answer = planned_by(plan(Json::Null, &config)).await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
}

#[tokio::test]
async fn unknown_set_elements_are_not_merged() {
    let taints = json!([{"key": "<unknown>", "value": "t"}, {"key": "<unknown>", "value": "t"}]);
    let answer = planned_by(plan(Json::Null, &thing(json!({"name": "a", "taints": taints})))).await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(json(answer.planned_state.as_ref())["taints"], taints);
}

#[tokio::test]
async fn unchanged_configuration_is_an_empty_plan() {
    let answer = planned_by(plan(existing(), &thing(json!({"name": "a", "token_wo": "secret"})))).await;
    assert_eq!((summaries(&answer.diagnostics), replaced(&answer)), (vec![], vec![]));
    assert_eq!(json(answer.planned_state.as_ref()), existing());
}

#[tokio::test]
async fn update_marks_values_that_can_change() {
    let answer = planned_by(plan(existing(), &thing(json!({"name": "a", "enabled": true})))).await;
    assert_eq!(replaced(&answer), [""; 0]);
    let expected = thing(json!({"name": "a", "size": 3, "enabled": true, "id": "id-a", "status": "<unknown>"}));
    assert_eq!(json(answer.planned_state.as_ref()), expected);
}

#[tokio::test]
async fn replacement_names_its_path() {
    let mut prior = existing();
    prior["options"] = json!({"kind": "k", "level": 1});
    let config = thing(json!({"name": "b", "options": {"kind": "l", "level": 1}}));
    assert_eq!(replaced(&planned_by(plan(prior, &config)).await), ["name", "options.kind"]);
}

#[tokio::test]
async fn destroy_plan_is_null_and_can_warn() {
    let mut prior = existing();
    prior["name"] = "warn".into();
    let request = Request { proposed_new_state: null(), config: null(), ..plan(prior, &Json::Null) };
    let answer = planned_by(request).await;
    assert_eq!(summaries(&answer.diagnostics), ["Warning: : It goes"]);
    assert_eq!(json(answer.planned_state.as_ref()), Json::Null);
}

#[tokio::test]
async fn private_state_and_warnings_are_returned() {
    let request = Request {
        prior_private: br#"{"version":1,"content":{"token_seen":true}}"#.to_vec(),
        ..plan(Json::Null, &thing(json!({"name": "warn"})))
    };
    let answer = planned_by(request).await;
    assert_eq!(summaries(&answer.diagnostics), ["Warning: name: Odd"]);
    assert_eq!(answer.planned_private, br#"{"version":1,"content":{"token_seen":true}}"#);
}

#[tokio::test]
async fn failed_plan_is_explained() {
    let answer = planned_by(plan(Json::Null, &thing(json!({"name": "fail in plan"})))).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : It failed"]);
}

#[tokio::test]
async fn plan_keeps_the_prior_identity() {
    let prior = thing(json!({"name": "anonymous", "size": 3, "id": "i", "status": "ready"}));
    let kept = json!({"name": "anonymous", "region": "here"});
    let request =
        Request { prior_identity: identity(kept.clone()), ..plan(prior, &thing(json!({"name": "anonymous"}))) };
    assert_eq!(identity_json(planned_by(request).await.planned_identity.as_ref()), kept);
}

#[tokio::test]
async fn plan_works_without_configure() {
    let request = plan(Json::Null, &thing(json!({"name": "a"})));
    let answer = fresh().await.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(json(answer.planned_state.as_ref()), planned("a"));
}

#[tokio::test]
async fn unknown_resource_type_is_named() {
    let request = Request { type_name: "spot_other".to_owned(), config: Some(value(json!({}))), ..Request::default() };
    let answer = planned_by(request).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : Unknown type"]);
    assert!(answer.diagnostics[0].detail.contains("spot_other"));
}
