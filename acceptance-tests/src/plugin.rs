//! Calls the provider like Terraform 1.14: no engine that can be built here lists resources.

use std::process::Stdio;

use futures::TryStreamExt;
use hyper_util::rt::TokioIo;
use rmpv::Value as Msgpack;
use serde_json::Value;
use tempfile::TempDir;
use tfplugin_proto::tfplugin6::provider_client::ProviderClient;
use tfplugin_proto::tfplugin6::{
    Diagnostic, DynamicValue, configure_provider, generate_resource_config, list_resource, validate_resource_config,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tonic::transport::{Channel, Endpoint};

use crate::{Account, mirror};

/// A provider process that is configured for an account.
#[derive(Debug)]
pub struct Plugin {
    client: ProviderClient<Channel>,
    _process: Child,
    _sockets: TempDir,
}

/// An object that a list resource returned.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its identity.
    pub identity: Value,
    /// Its name for users.
    pub display_name: String,
    /// Its state, from which configuration can be generated.
    state: Option<DynamicValue>,
}

impl Plugin {
    /// Starts the provider with the environment variables of a user of the account.
    ///
    /// # Panics
    ///
    /// If it does not start or returns a diagnostic for its configuration.
    pub async fn start(account: &Account) -> Self {
        let sockets = tempfile::tempdir().expect("a folder for sockets");
        let mut command = Command::new(mirror::binary());
        command
            .env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
            .env("PLUGIN_PROTOCOL_VERSIONS", "6")
            .env("PLUGIN_UNIX_SOCKET_DIR", sockets.path())
            .envs(account.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("the provider starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).await.expect("a handshake");
        // The handshake of go-plugin: core protocol, plugin protocol, network, address, ...
        let socket = line.split('|').nth(3).unwrap_or_else(|| panic!("no handshake: {line:?}")).to_owned();
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        // `tonic` requires a URI. The connector ignores it and uses the socket.
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connector).await;
        let mut client = ProviderClient::new(channel.expect("the provider listens"));
        let request = configure_provider::Request {
            terraform_version: "1.14.0".to_owned(),
            config: Some(json(&Value::Object(serde_json::Map::new()))),
            client_capabilities: None,
        };
        let answer = client.configure_provider(request).await.expect("an answer").into_inner();
        assert_eq!(answer.diagnostics, []);
        Self { client, _process: process, _sockets: sockets }
    }

    /// Lists all objects of a type, with their state.
    ///
    /// # Panics
    ///
    /// If the provider returns an error.
    pub async fn list(&mut self, type_name: &str, config: &Value) -> Vec<Listed> {
        let request = list_resource::Request {
            type_name: type_name.to_owned(),
            config: Some(json(config)),
            include_resource_object: true,
            limit: 100,
        };
        let events = self.client.list_resource(request).await.expect("an answer").into_inner();
        let events: Vec<list_resource::Event> = events.try_collect().await.expect("events");
        let errors: Vec<&Diagnostic> =
            events.iter().flat_map(|event| &event.diagnostic).filter(|printed| printed.severity == 1).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let objects = events.into_iter().filter_map(|event| {
            let identity = event.identity?.identity_data.expect("an identity has data");
            Some(Listed { identity: value(&identity), display_name: event.display_name, state: event.resource_object })
        });
        objects.collect()
    }

    /// Returns the configuration that is generated for an object, and the diagnostics of its validation.
    ///
    /// # Panics
    ///
    /// If the provider generates none.
    pub async fn generated(&mut self, type_name: &str, listed: &Listed) -> (Value, Vec<String>) {
        let request =
            generate_resource_config::Request { type_name: type_name.to_owned(), state: listed.state.clone() };
        let answer = self.client.generate_resource_config(request).await.expect("an answer").into_inner();
        assert_eq!(answer.diagnostics, []);
        let config = answer.config.expect("a configuration");
        let request = validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(config.clone()),
            client_capabilities: None,
        };
        let validated = self.client.validate_resource_config(request).await.expect("an answer").into_inner();
        (
            value(&config),
            validated
                .diagnostics
                .into_iter()
                .map(|printed| format!("{}: {}", printed.summary, printed.detail))
                .collect(),
        )
    }
}

fn json(value: &Value) -> DynamicValue {
    DynamicValue { json: value.to_string().into_bytes(), msgpack: Vec::new() }
}

fn value(value: &DynamicValue) -> Value {
    let msgpack = rmpv::decode::read_value(&mut value.msgpack.as_slice()).expect("msgpack");
    plain(msgpack)
}

fn plain(value: Msgpack) -> Value {
    match value {
        Msgpack::Boolean(value) => value.into(),
        Msgpack::Integer(integer) => integer.as_i64().into(),
        Msgpack::F64(float) => float.into(),
        Msgpack::String(text) => text.into_str().into(),
        Msgpack::Array(elements) => elements.into_iter().map(plain).collect(),
        Msgpack::Map(pairs) => pairs
            .into_iter()
            .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), plain(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => Value::Null,
    }
}
