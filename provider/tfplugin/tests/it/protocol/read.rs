use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::read_resource::{Request, Response};

use super::host::{checking, identity, identity_json, json, summaries, thing, value};

fn existing(name: &str) -> Json {
    thing(json!({"name": name, "size": 3, "id": "id-a", "status": "ready"}))
}

async fn read(name: &str) -> Response {
    let request = Request {
        type_name: "spot_thing".to_owned(),
        current_state: Some(value(existing(name))),
        private: br#"{"version":1,"content":{"token_seen":true}}"#.to_vec(),
        current_identity: identity(json!({"name": name, "region": null})),
        ..Request::default()
    };
    checking().await.read_resource(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn read_returns_the_observed_state() {
    let answer = read("a").await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(json(answer.new_state.as_ref()), thing(json!({"name": "a", "size": 3, "id": "id-a", "status": "read"})));
    assert_eq!(answer.private, br#"{"version":1,"content":{"token_seen":true}}"#);
    assert_eq!(identity_json(answer.new_identity.as_ref()), json!({"name": "a", "region": "af-south-1"}));
    assert_eq!(answer.deferred, None);
}

#[tokio::test]
async fn read_keeps_the_prior_identity() {
    let answer = read("anonymous").await;
    assert_eq!(identity_json(answer.new_identity.as_ref()), json!({"name": "anonymous", "region": null}));
}

#[tokio::test]
async fn missing_object_is_null() {
    let answer = read("gone").await;
    assert_eq!((summaries(&answer.diagnostics), json(answer.new_state.as_ref())), (vec![], Json::Null));
    assert_eq!((answer.private, answer.new_identity), (vec![], None));
}

#[tokio::test]
async fn failed_read_keeps_the_state() {
    for (name, summary) in [("fail in read", "It failed"), ("panic in read", "Bug in the provider")] {
        let answer = read(name).await;
        assert_eq!(summaries(&answer.diagnostics), [format!("Error: : {summary}")]);
        assert_eq!(json(answer.new_state.as_ref()), existing(name));
        assert_eq!(answer.private, br#"{"version":1,"content":{"token_seen":true}}"#);
    }
}

#[tokio::test]
async fn unreadable_private_state_is_an_error_and_kept() {
    for (private, summary) in [
        (&br#"{"version":2,"content":{}}"#[..], "State of a newer version of the provider"),
        (br#"{"version":1,"content":{"later":true}}"#, "Private state cannot be read"),
        (br#"{"token_seen":true}"#, "Private state cannot be read"),
    ] {
        let request = Request {
            type_name: "spot_thing".to_owned(),
            current_state: Some(value(existing("a"))),
            private: private.to_vec(),
            ..Request::default()
        };
        let answer = checking().await.read_resource(request).await.unwrap().into_inner();
        assert_eq!(summaries(&answer.diagnostics), [format!("Error: : {summary}")]);
        assert_eq!((json(answer.new_state.as_ref()), &answer.private[..]), (existing("a"), private));
    }
}
