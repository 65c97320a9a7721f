use serde_json::json;
use tfplugin_proto::tfplugin6::import_resource_state::{Request, Response};
use tfplugin_proto::tfplugin6::{generate_resource_config, move_resource_state, read_resource};

use super::host::{checking, identity, identity_json, json, stored, summaries, thing, value};

async fn import(request: Request) -> Response {
    let request = Request { type_name: "spot_thing".to_owned(), ..request };
    checking().await.import_resource_state(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn import_by_id_equals_import_by_identity() {
    let by_id = import(Request { id: "a".to_owned(), ..Request::default() }).await;
    let given = identity(json!({"name": "a", "region": null}));
    let by_identity = import(Request { identity: given, ..Request::default() }).await;
    assert_eq!(by_id, by_identity);
    assert_eq!(summaries(&by_id.diagnostics), [""; 0]);
    let [imported] = &by_id.imported_resources[..] else { unreachable!() };
    assert_eq!(imported.type_name, "spot_thing");
    assert_eq!(json(imported.state.as_ref()), thing(json!({"name": "a"})));
    assert_eq!(identity_json(imported.identity.as_ref()), json!({"name": "a", "region": "af-south-1"}));
}

#[tokio::test]
async fn import_of_another_object_is_reported() {
    let elsewhere =
        import(Request { identity: identity(json!({"name": "a", "region": "moon"})), ..Request::default() });
    assert_eq!(summaries(&elsewhere.await.diagnostics), ["Error: region: Bug in the provider"]);
}

#[tokio::test]
async fn read_gets_the_private_state_of_the_import() {
    let imported = import(Request { id: "a".to_owned(), ..Request::default() }).await.imported_resources.remove(0);
    let request = read_resource::Request {
        type_name: imported.type_name,
        current_state: imported.state,
        private: imported.private,
        ..read_resource::Request::default()
    };
    let answer = checking().await.read_resource(request).await.unwrap().into_inner();
    assert_eq!(json(answer.new_state.as_ref()), thing(json!({"name": "a", "size": 3, "status": "read"})));
    assert_eq!(answer.private, b"");
}

#[tokio::test]
async fn invalid_id_imports_nothing() {
    let answer = import(Request::default()).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : It failed"]);
    assert_eq!(answer.imported_resources, []);
}

async fn moved(address: &str, from: &str) -> move_resource_state::Response {
    let request = move_resource_state::Request {
        source_provider_address: address.to_owned(),
        source_type_name: from.to_owned(),
        source_schema_version: 1,
        source_state: stored(&json!({"name": "a", "size": 4, "old": true})),
        target_type_name: "spot_thing".to_owned(),
        source_private: b"p".to_vec(),
        source_identity: stored(&json!({"name": "a"})),
        source_identity_schema_version: 0,
    };
    checking().await.move_resource_state(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn state_is_moved_between_provider_addresses() {
    let answer = moved("registry.example.com/fork/spot", "spot_thing").await;
    assert_eq!(summaries(&answer.diagnostics), [""; 0]);
    assert_eq!(json(answer.target_state.as_ref()), thing(json!({"name": "a", "size": 4})));
    assert_eq!(identity_json(answer.target_identity.as_ref()), json!({"name": "a", "region": null}));
    assert_eq!(answer.target_private, b"p");
}

#[tokio::test]
async fn state_of_other_types_is_not_moved() {
    for (address, from) in [("registry.example.com/a/aws", "spot_thing"), ("registry.example.com/a/spot", "spot_x")] {
        let answer = moved(address, from).await;
        assert_eq!(summaries(&answer.diagnostics), ["Error: : State cannot be moved"]);
        assert_eq!(answer.target_state, None);
    }
}

#[tokio::test]
async fn generated_configuration_has_configurable_attributes() {
    let state = thing(json!({
        "name": "a", "size": 3, "id": "id-a", "status": "ready", "zones": ["a"], "options": {"kind": "k", "level": 2}
    }));
    let request = generate_resource_config::Request { type_name: "spot_thing".to_owned(), state: Some(value(state)) };
    let answer = checking().await.generate_resource_config(request).await.unwrap().into_inner();
    let expected = thing(json!({"name": "a", "zones": ["a"], "options": {"kind": "k", "level": 2}}));
    assert_eq!(json(answer.config.as_ref()), expected);
}
