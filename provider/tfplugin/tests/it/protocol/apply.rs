use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::apply_resource_change::{Request, Response};

use super::host::{apply, checking, fresh, identity_json, json, planned, summaries, thing};

async fn applied(request: Request) -> Response {
    checking().await.apply_resource_change(request).await.unwrap().into_inner()
}

async fn created(name: &str) -> Response {
    applied(apply(Json::Null, thing(json!({"name": name, "token_wo": "secret"})), planned(name))).await
}

fn existing(name: &str) -> Json {
    thing(json!({"name": name, "size": 3, "id": "id-a", "status": "ready"}))
}

#[tokio::test]
async fn create_returns_state_identity_and_private_state() {
    let answer = created("a").await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(json(answer.new_state.as_ref()), existing("a"));
    assert_eq!(identity_json(answer.new_identity.as_ref()), json!({"name": "a", "region": "af-south-1"}));
    assert_eq!(answer.private, br#"{"version":1,"content":{"token_seen":true}}"#);
    assert!(!answer.legacy_type_system);
}

#[tokio::test]
async fn failed_create_keeps_the_recorded_state() {
    for (name, summary) in [("fail after", "It failed"), ("panic after", "Bug in the provider")] {
        let answer = created(name).await;
        assert_eq!(summaries(&answer.diagnostics), [format!("Error: : {summary}")]);
        assert!(!answer.diagnostics[0].detail.contains("secret"));
        let expected = thing(json!({"name": name, "size": 3, "id": "id-early"}));
        assert_eq!(json(answer.new_state.as_ref()), expected);
    }
}

#[tokio::test]
async fn panic_in_the_identity_keeps_the_state() {
    let answer = created("panic in identity").await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : Bug in the provider"]);
    assert!(!answer.diagnostics[0].detail.contains("secret"));
    assert_eq!(json(answer.new_state.as_ref())["status"], "ready");
    assert_eq!(answer.private, br#"{"version":1,"content":{"token_seen":true}}"#);
}

#[tokio::test]
async fn create_that_fails_first_returns_null() {
    for name in ["fail before", "panic before"] {
        let answer = created(name).await;
        assert_eq!(answer.diagnostics.len(), 1);
        assert_eq!(json(answer.new_state.as_ref()), Json::Null);
    }
}

#[tokio::test]
async fn failed_update_keeps_the_actual_values() {
    let with_size = |size: i64| {
        let mut planned = existing("a");
        planned["size"] = size.into();
        planned["status"] = "<unknown>".into();
        apply(existing("a"), thing(json!({"name": "a", "size": size})), planned)
    };
    let answer = applied(with_size(4)).await;
    assert_eq!(json(answer.new_state.as_ref())["size"], 4);
    let answer = applied(with_size(13)).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : It failed"]);
    let state = json(answer.new_state.as_ref());
    assert_eq!((&state["size"], &state["status"]), (&json!(3), &json!("half")));
}

#[tokio::test]
async fn destroy_returns_null_or_the_remaining_state() {
    let answer = applied(apply(existing("a"), Json::Null, Json::Null)).await;
    assert_eq!((summaries(&answer.diagnostics), json(answer.new_state.as_ref())), (vec![], Json::Null));
    let answer = applied(apply(existing("stay"), Json::Null, Json::Null)).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : It failed"]);
    assert_eq!(json(answer.new_state.as_ref())["status"], "stuck");
}

#[tokio::test]
async fn unconfigured_provider_changes_nothing() {
    let request = apply(Json::Null, thing(json!({"name": "a"})), planned("a"));
    let answer = fresh().await.apply_resource_change(request).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), ["Error: : Provider not configured"]);
    assert_eq!(json(answer.new_state.as_ref()), Json::Null);
}

#[tokio::test]
async fn unreadable_request_changes_nothing() {
    let mut request = apply(existing("a"), Json::Null, Json::Null);
    request.config = Some(super::host::value(json!(5)));
    let answer = applied(request).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : Value does not fit the schema"]);
    assert_eq!(json(answer.new_state.as_ref()), existing("a"));
}
