use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::list_resource::{Event, Request};
use tfplugin_proto::tfplugin6::{get_metadata, get_provider_schema, validate_list_resource_config};
use tokio_stream::StreamExt;

use super::host::{configured, fresh, identity_json, json, summaries, value};

/// The events of a list of these names.
async fn listed(names: Json, limit: i64, include_resource_object: bool) -> Vec<Event> {
    let request = Request {
        type_name: "spot_thing".to_owned(),
        config: Some(value(json!({ "names": names }))),
        include_resource_object,
        limit,
    };
    let stream = configured().await.list_resource(request).await.unwrap().into_inner();
    stream.map(Result::unwrap).collect().await
}

#[tokio::test]
async fn listed_objects_have_identity_and_name() {
    let events = listed(json!(["a", "b", "c"]), 2, false).await;
    assert_eq!(events.len(), 2, "no more than the limit");
    assert_eq!(identity_json(events[1].identity.as_ref()), json!({ "name": "b", "region": null }));
    assert_eq!((events[1].display_name.as_str(), &events[1].resource_object), ("thing b", &None));
    assert!(events.iter().all(|event| event.diagnostic.is_empty()));
}

#[tokio::test]
async fn listed_state_equals_an_import() {
    let events = listed(json!(["a"]), 0, true).await;
    let state = json(events[0].resource_object.as_ref());
    assert_eq!((&state["name"], &state["size"], &state["status"]), (&json!("a"), &json!(3), &json!("read")));
    assert_eq!(identity_json(events[0].identity.as_ref()), json!({ "name": "a", "region": "af-south-1" }));
}

#[tokio::test]
async fn unreadable_objects_are_omitted_from_the_list() {
    let events = listed(json!(["gone", "fail in read", "panic in read", "a"]), 0, true).await;
    let reported: Vec<_> = events.iter().map(|event| summaries(&event.diagnostic)).collect();
    assert_eq!(reported[..2], [vec![], vec!["Warning: : thing fail in read is not listed".to_owned()]]);
    assert_eq!(reported[2], ["Error: : Bug in the provider"]);
    let with_identity = events.iter().filter(|event| event.identity.is_some());
    assert_eq!(with_identity.map(|event| event.display_name.as_str()).collect::<Vec<_>>(), ["thing a"]);
}

#[tokio::test]
async fn failed_list_keeps_found_objects() {
    let events = listed(json!(["a", "fail the list"]), 0, false).await;
    assert_eq!(summaries(&events[0].diagnostic), ["Error: : It failed"]);
    assert_eq!(events[1].display_name, "thing a");
    let panicked = listed(json!(["panic in list"]), 0, false).await;
    assert_eq!(summaries(&panicked[0].diagnostic), ["Error: : Bug in the provider"]);
    assert!(!panicked[0].diagnostic[0].detail.contains("secret"));
}

#[tokio::test]
async fn list_arguments_are_validated() {
    let check = async |names: Json| {
        let request = validate_list_resource_config::Request {
            type_name: "spot_thing".to_owned(),
            config: Some(value(json!({ "names": names }))),
            ..Default::default()
        };
        let answer = fresh().await.validate_list_resource_config(request).await.unwrap().into_inner();
        summaries(&answer.diagnostics)
    };
    assert_eq!(check(json!([])).await, ["Error: names: No names"]);
    assert_eq!(check(json!([null])).await.len(), 1);
    assert_eq!(check(json!("<unknown>")).await, [""; 0]);
}

#[tokio::test]
async fn unlisted_type_is_an_error() {
    let request = Request { type_name: "spot_house".to_owned(), ..Request::default() };
    let events: Vec<_> = fresh().await.list_resource(request).await.unwrap().into_inner().collect().await;
    assert_eq!(summaries(&events[0].as_ref().unwrap().diagnostic), ["Error: : Unknown type"]);
}

#[tokio::test]
async fn list_resource_is_announced() {
    let mut client = fresh().await;
    let schemas = client.get_provider_schema(get_provider_schema::Request::default()).await.unwrap().into_inner();
    let block = schemas.list_resource_schemas["spot_thing"].block.clone().unwrap();
    assert_eq!((block.description.as_str(), block.attributes[0].name.as_str()), ("Lists things.", "names"));
    let metadata = client.get_metadata(get_metadata::Request::default()).await.unwrap().into_inner();
    assert_eq!(metadata.list_resources[0].type_name, "spot_thing");
}
