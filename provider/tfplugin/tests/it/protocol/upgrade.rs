use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::{RawState, upgrade_resource_identity, upgrade_resource_state};

use super::host::{checking, identity_json, json, stored, summaries, thing};

async fn upgraded(version: i64, state: Json) -> upgrade_resource_state::Response {
    let raw_state = stored(&state);
    let request = upgrade_resource_state::Request { type_name: "spot_thing".to_owned(), version, raw_state };
    checking().await.upgrade_resource_state(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn current_state_loses_only_removed_attributes() {
    let answer =
        upgraded(1, json!({"name": "a", "zones": ["b", "a"], "ratio": 0.1, "removed": {"x": 1}, "token_wo": "old"}))
            .await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    let expected = thing(json!({"name": "a", "zones": ["a", "b"], "ratio": "0.1"}));
    assert_eq!(json(answer.upgraded_state.as_ref()), expected);
}

#[tokio::test]
async fn stored_number_keeps_its_digits() {
    let digits = "0.66666666666666666666666666666666666666667";
    let json = format!(r#"{{"name": "a", "ratio": {digits}}}"#).into_bytes();
    let raw_state = Some(RawState { json, ..RawState::default() });
    let request = upgrade_resource_state::Request { type_name: "spot_thing".to_owned(), version: 1, raw_state };
    let answer = checking().await.upgrade_resource_state(request).await.unwrap().into_inner();
    assert_eq!(super::host::json(answer.upgraded_state.as_ref())["ratio"], digits);
}

#[tokio::test]
async fn older_state_is_upgraded() {
    let answer = upgraded(0, json!({"title": "a"})).await;
    assert_eq!(json(answer.upgraded_state.as_ref()), thing(json!({"name": "a"})));
    let answer = upgraded(0, json!({})).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : It failed"]);
}

#[tokio::test]
async fn mismatched_state_is_an_error_with_its_path() {
    let answer = upgraded(1, json!({"labels": {"k": []}})).await;
    assert_eq!(summaries(&answer.diagnostics), [r#"Error: labels["k"]: State does not fit the schema"#]);
}

#[tokio::test]
async fn identities_are_upgraded() {
    let request = upgrade_resource_identity::Request {
        type_name: "spot_thing".to_owned(),
        version: 0,
        raw_identity: stored(&json!({"name": "a", "removed": 1})),
    };
    let answer = checking().await.upgrade_resource_identity(request).await.unwrap().into_inner();
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(identity_json(answer.upgraded_identity.as_ref()), json!({"name": "a", "region": null}));
    let older = upgrade_resource_identity::Request {
        type_name: "spot_thing".to_owned(),
        version: 0,
        raw_identity: stored(&json!({"title": "b"})),
    };
    let answer = checking().await.upgrade_resource_identity(older).await.unwrap().into_inner();
    assert_eq!(identity_json(answer.upgraded_identity.as_ref()), json!({"name": "b", "region": null}));
}
