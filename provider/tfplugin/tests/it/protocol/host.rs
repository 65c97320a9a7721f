//! A host in the same process, and values as JSON: `"<unknown>"` is an unknown value, `"<begins a"` one that will begin
//! with `a`.

use std::io;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rmpv::Value as Msgpack;
use serde_json::{Value as Json, json};
use tfplugin::framework::clock::SystemClock;
use tfplugin::framework::{Provider, Schema, Type};
use tfplugin::protocol::Server;
use tfplugin_proto::tfplugin6::provider_client::ProviderClient;
use tfplugin_proto::tfplugin6::{
    AttributePath, ClientCapabilities, Diagnostic, DynamicValue, RawState, ResourceIdentityData, apply_resource_change,
    attribute_path, configure_provider, plan_resource_change,
};
use tonic::transport::{Channel, Endpoint};

use super::spot::{Spot, Thing};

pub(crate) type Client = ProviderClient<Channel>;

/// A provider that is not configured.
pub(crate) async fn fresh() -> Client {
    connect(Server::new(Spot, Arc::new(SystemClock::new(1))).checking(false)).await
}

/// A configured one.
pub(crate) async fn configured() -> Client {
    configure(fresh().await).await
}

/// A configured one that checks its responses.
pub(crate) async fn checking() -> Client {
    configure(connect(Server::new(Spot, Arc::new(SystemClock::new(1))).checking(true)).await).await
}

async fn configure(mut client: Client) -> Client {
    let request = configure_provider::Request {
        terraform_version: "1.12.0".to_owned(),
        config: Some(value(json!({"region": "af-south-1"}))),
        client_capabilities: None,
    };
    let response = client.configure_provider(request).await.unwrap().into_inner();
    assert_eq!(response.diagnostics, []);
    client
}

async fn connect<P: Provider>(server: Server<P>) -> Client {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let incoming = tokio_stream::once(Ok::<_, io::Error>(theirs));
    let service = server.into_service();
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    let mut ours = Some(TokioIo::new(ours));
    let connector = tower::service_fn(move |_| {
        let stream = ours.take().ok_or_else(|| io::Error::other("the connection was lost"));
        async { stream }
    });
    let channel = Endpoint::from_static("http://memory").connect_with_connector(connector).await.unwrap();
    // Core reads schemas of up to 64 MiB.
    ProviderClient::new(channel).max_decoding_message_size(64 << 20)
}

/// A value as core sends it.
pub(crate) fn value(json: Json) -> DynamicValue {
    let mut msgpack = Vec::new();
    rmpv::encode::write_value(&mut msgpack, &to_msgpack(json)).unwrap();
    DynamicValue { msgpack, json: Vec::new() }
}

pub(crate) fn null() -> Option<DynamicValue> {
    Some(value(Json::Null))
}

/// Decodes a value.
pub(crate) fn json(value: Option<&DynamicValue>) -> Json {
    let bytes = &value.unwrap().msgpack;
    from_msgpack(rmpv::decode::read_value(&mut bytes.as_slice()).unwrap())
}

pub(crate) fn identity(json: Json) -> Option<ResourceIdentityData> {
    Some(ResourceIdentityData { identity_data: Some(value(json)) })
}

pub(crate) fn identity_json(identity: Option<&ResourceIdentityData>) -> Json {
    identity.map_or(Json::Null, |identity| json(identity.identity_data.as_ref()))
}

pub(crate) fn stored(json: &Json) -> Option<RawState> {
    Some(RawState { json: json.to_string().into_bytes(), flatmap: std::collections::HashMap::new() })
}

fn to_msgpack(json: Json) -> Msgpack {
    match json {
        Json::Null => Msgpack::Nil,
        Json::Bool(value) => value.into(),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.to_string().into(),
        },
        Json::String(text) if text == "<unknown>" => Msgpack::Ext(0, vec![0]),
        Json::String(text) if text.starts_with("<begins ") => begins(text.trim_start_matches("<begins ")),
        Json::String(text) => text.into(),
        Json::Array(elements) => Msgpack::Array(elements.into_iter().map(to_msgpack).collect()),
        Json::Object(members) => {
            Msgpack::Map(members.into_iter().map(|(key, value)| (key.into(), to_msgpack(value))).collect())
        }
    }
}

/// An unknown value that will not be null, and has a known prefix.
fn begins(prefix: &str) -> Msgpack {
    let mut promises = Vec::new();
    let pairs = vec![(1.into(), false.into()), (2.into(), prefix.into())];
    rmpv::encode::write_value(&mut promises, &Msgpack::Map(pairs)).unwrap();
    Msgpack::Ext(12, promises)
}

fn from_msgpack(value: Msgpack) -> Json {
    match value {
        Msgpack::Nil => Json::Null,
        Msgpack::Boolean(value) => value.into(),
        Msgpack::Integer(integer) => integer.as_i64().unwrap().into(),
        Msgpack::F32(float) => float.into(),
        Msgpack::F64(float) => float.into(),
        Msgpack::String(text) => text.into_str().unwrap().into(),
        Msgpack::Binary(bytes) => String::from_utf8(bytes).unwrap().into(),
        Msgpack::Array(elements) => elements.into_iter().map(from_msgpack).collect(),
        Msgpack::Map(pairs) => pairs
            .into_iter()
            .map(|(key, value)| (key.as_str().unwrap().to_owned(), from_msgpack(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Msgpack::Ext(..) => "<unknown>".into(),
    }
}

/// A thing with these attributes; the others are null.
pub(crate) fn thing(attributes: Json) -> Json {
    let Type::Object(types) = Schema::of::<Thing>(0, "").ty() else { unreachable!() };
    let mut thing: serde_json::Map<_, _> = types.into_keys().map(|name| (name, Json::Null)).collect();
    let Json::Object(attributes) = attributes else { unreachable!() };
    for (name, value) in attributes {
        assert!(thing.insert(name, value).is_some());
    }
    thing.into()
}

/// Returns `severity: path: summary` for each diagnostic.
pub(crate) fn summaries(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|it| {
            let path = it.attribute.as_ref().map(path).unwrap_or_default();
            format!("{:?}: {path}: {}", it.severity(), it.summary)
        })
        .collect()
}

/// Formats a path as in HCL.
pub(crate) fn path(path: &AttributePath) -> String {
    use attribute_path::step::Selector;
    let steps = path.steps.iter().map(|step| match step.selector.as_ref().unwrap() {
        Selector::AttributeName(name) => format!(".{name}"),
        Selector::ElementKeyString(key) => format!("[{key:?}]"),
        Selector::ElementKeyInt(index) => format!("[{index}]"),
    });
    steps.collect::<String>().trim_start_matches('.').to_owned()
}

pub(crate) fn write_only_allowed() -> Option<ClientCapabilities> {
    Some(ClientCapabilities { write_only_attributes_allowed: true, ..ClientCapabilities::default() })
}

/// A request for a plan, with the configuration as the proposal except for computed attributes.
pub(crate) fn plan(prior: Json, config: &Json) -> plan_resource_change::Request {
    let mut proposed = config.clone();
    if let (Some(proposed), Some(prior)) = (proposed.as_object_mut(), prior.as_object()) {
        for (name, value) in proposed.iter_mut().filter(|(name, value)| value.is_null() && *name != "token_wo") {
            if ["id", "status", "size"].contains(&name.as_str()) {
                *value = prior[name].clone();
            }
        }
    }
    plan_resource_change::Request {
        type_name: "spot_thing".to_owned(),
        prior_state: Some(value(prior)),
        proposed_new_state: Some(value(proposed)),
        config: Some(value(config.clone())),
        client_capabilities: write_only_allowed(),
        ..plan_resource_change::Request::default()
    }
}

/// A request for an apply of a plan.
pub(crate) fn apply(prior: Json, config: Json, planned: Json) -> apply_resource_change::Request {
    apply_resource_change::Request {
        type_name: "spot_thing".to_owned(),
        prior_state: Some(value(prior)),
        planned_state: Some(value(planned)),
        config: Some(value(config)),
        ..apply_resource_change::Request::default()
    }
}

/// The planned state of a new thing with this name.
pub(crate) fn planned(name: &str) -> Json {
    thing(json!({"name": name, "size": 3, "id": "<unknown>", "status": "<unknown>"}))
}
