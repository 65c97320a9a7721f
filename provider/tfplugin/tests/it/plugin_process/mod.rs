//! Tests of the example `minimal` as the child process of a host.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rustls::AlertDescription;
use rustls::version::{TLS12, TLS13};
use serde_json::json;
use tfplugin_proto::go_plugin::Empty;
use tfplugin_proto::go_plugin::grpc_broker_client::GrpcBrokerClient;
use tfplugin_proto::go_plugin::grpc_controller_client::GrpcControllerClient;
use tfplugin_proto::go_plugin::grpc_stdio_client::GrpcStdioClient;
use tfplugin_proto::tfplugin6::provider_client::ProviderClient;
use tfplugin_proto::tfplugin6::{
    DynamicValue, apply_resource_change, configure_provider, plan_resource_change, read_data_source,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

mod host;

use host::{Identity, Network, PATIENCE, Plugin, binary, command, invitation, invited, outcome, plain_channel};

/// Checks the health of a plugin, as a host does first.
async fn health(channel: Channel) -> ServingStatus {
    let request = HealthCheckRequest { service: "plugin".to_owned() };
    let mut client = HealthClient::new(channel);
    timeout(PATIENCE, client.check(request)).await.unwrap().unwrap().into_inner().status()
}

/// Returns the TLS alert with which the plugin refuses a client.
async fn alert(
    plugin: &Plugin,
    client: Option<&Identity>,
    version: &'static rustls::SupportedProtocolVersion,
) -> AlertDescription {
    let error = match plugin.tls(client, &[version]).await {
        Ok(mut stream) => timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap_err(),
        Err(error) => error,
    };
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::AlertReceived(alert)) => *alert,
        _ => unreachable!("not an alert: {error}"),
    }
}

async fn signal(name: &str, process: u32) {
    let sent = command("/bin/kill").args([&format!("-{name}"), &process.to_string()]).status().await;
    assert!(sent.unwrap().success());
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waited = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(PATIENCE, waited).await.is_ok(), "waited in vain: {what}");
}

#[tokio::test]
async fn host_with_the_pinned_certificate_is_served() {
    let host = Identity::new();
    let plugin = Plugin::start(Some(&host)).await;
    assert_eq!(health(plugin.channel(&host).await).await, ServingStatus::Serving);
    // A second connection is served as well.
    assert_eq!(health(plugin.channel(&host).await).await, ServingStatus::Serving);
}

#[tokio::test]
async fn other_clients_are_refused() {
    for network in [Network::Unix, Network::Tcp] {
        nobody_else_is_served_over(network).await;
    }
}

async fn nobody_else_is_served_over(network: Network) {
    let (host, stranger) = (Identity::new(), Identity::new());
    let plugin = Plugin::start_over(network, &host).await;
    for version in [&TLS12, &TLS13] {
        assert_eq!(alert(&plugin, None, version).await, AlertDescription::CertificateRequired);
        assert_eq!(alert(&plugin, Some(&stranger), version).await, AlertDescription::AccessDenied);
        // The certificate is not secret: a client has to prove that it holds the key.
        let thief = stranger.with_certificate_of(&host);
        assert_eq!(alert(&plugin, Some(&thief), version).await, AlertDescription::DecryptError);
    }
    assert_eq!(health(plugin.channel(&host).await).await, ServingStatus::Serving);
}

#[tokio::test]
async fn tcp_listens_on_loopback_within_the_ports_of_the_host() {
    let host = Identity::new();
    let plugin = Plugin::start_over(Network::Tcp, &host).await;
    let address: SocketAddr = plugin.address.parse().unwrap();
    assert!(address.ip().is_loopback(), "{address}");
    assert!((10000..=25000).contains(&address.port()), "{address}");
    let second = Plugin::start_over(Network::Tcp, &host).await;
    assert_ne!(second.address, plugin.address);
    assert_eq!(health(second.channel(&host).await).await, ServingStatus::Serving);
}

#[tokio::test]
async fn invalid_and_plaintext_connections_do_not_end_the_listener() {
    let host = Identity::new();
    let plugin = Plugin::start(Some(&host)).await;
    for bytes in [&b"\0\xff garbage \r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""] {
        let mut stream = UnixStream::connect(&plugin.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        // The plugin closes the connection, at most after a TLS alert.
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        assert!(answer.len() < 16, "{answer:?}");
    }
    assert_eq!(health(plugin.channel(&host).await).await, ServingStatus::Serving);
}

#[tokio::test]
async fn stalled_handshakes_do_not_block_others() {
    let host = Identity::new();
    let plugin = Plugin::start(Some(&host)).await;
    let mut stalled = Vec::new();
    for _ in 0..32 {
        let mut stream = UnixStream::connect(&plugin.address).await.unwrap();
        // The start of a TLS record that is never completed.
        stream.write_all(&[22, 3, 1]).await.unwrap();
        stalled.push(stream);
    }
    // The stalled connections are still open when the host has been served.
    assert_eq!(health(plugin.channel(&host).await).await, ServingStatus::Serving);
    for stream in &stalled {
        assert!(stream.try_read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
    }
}

#[tokio::test]
async fn host_without_tls_is_served() {
    let plugin = Plugin::start(None).await;
    assert_eq!(health(plain_channel(&plugin.address).await).await, ServingStatus::Serving);
}

#[tokio::test]
async fn multiplexing_is_declined() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = invited(directory.path()).env("PLUGIN_MULTIPLEX_GRPC", "true").spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    timeout(PATIENCE, stdout.read_line(&mut line)).await.unwrap().unwrap();
    assert!(line.ends_with("|grpc||false\n"), "{line}");
}

#[tokio::test]
async fn start_without_a_host_explains_the_plugin() {
    for cookie in [None, Some("wrong")] {
        let (code, stdout, stderr) =
            outcome(binary().envs(cookie.map(|cookie| ("TF_PLUGIN_MAGIC_COOKIE", cookie)))).await;
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.starts_with("This binary is a plugin."), "{stderr}");
    }
}

#[tokio::test]
async fn host_with_another_protocol_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = invited(directory.path());
    let (code, stdout, stderr) = outcome(command.env("PLUGIN_PROTOCOL_VERSIONS", "5,4")).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("protocol 6") && stderr.contains("5,4"), "{stderr}");
}

#[tokio::test]
async fn invalid_client_certificate_never_falls_back_to_plaintext() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = invited(directory.path());
    let (code, stdout, stderr) = outcome(command.env("PLUGIN_CLIENT_CERT", "broken")).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("PLUGIN_CLIENT_CERT"), "{stderr}");
}

#[tokio::test]
async fn shutdown_is_answered_before_the_process_ends() {
    let host = Identity::new();
    let mut plugin = Plugin::start(Some(&host)).await;
    let channel = plugin.channel(&host).await;
    // Hosts keep these two streams open all the time.
    let offers = tokio_stream::pending();
    let broker = GrpcBrokerClient::new(channel.clone()).start_stream(offers).await.unwrap();
    let stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap();

    let answer = GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    assert_eq!(answer.into_inner(), Empty {});
    assert_eq!(plugin.ended().await.code(), Some(0));
    assert!(plugin.has_left_nothing());
    drop((broker, stdio));
}

#[tokio::test]
async fn hanging_call_does_not_prevent_shutdown() {
    let mut plugin = Plugin::start(None).await;
    let channel = plain_channel(&plugin.address).await;
    let endless = HealthClient::new(channel.clone()).watch(HealthCheckRequest::default()).await.unwrap();

    GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    assert_eq!(plugin.ended().await.code(), Some(0));
    assert!(plugin.has_left_nothing());
    drop(endless);
}

#[tokio::test]
async fn sigint_is_ignored_and_sigterm_ends_the_process() {
    let mut plugin = Plugin::start(None).await;
    let process = plugin.process.id().unwrap();
    signal("INT", process).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(health(plain_channel(&plugin.address).await).await, ServingStatus::Serving);

    signal("TERM", process).await;
    assert_eq!(plugin.ended().await.code(), Some(0));
    assert!(plugin.has_left_nothing());
}

fn value(json: &serde_json::Value) -> DynamicValue {
    DynamicValue { msgpack: Vec::new(), json: json.to_string().into_bytes() }
}

/// Configures the provider for the files of a directory.
async fn configured(plugin: &Plugin, directory: &Path) -> ProviderClient<Channel> {
    let mut client = ProviderClient::new(plain_channel(&plugin.address).await);
    let request = configure_provider::Request {
        terraform_version: "1.12.0".to_owned(),
        config: Some(value(&json!({ "directory": directory }))),
        client_capabilities: None,
    };
    assert_eq!(client.configure_provider(request).await.unwrap().into_inner().diagnostics, []);
    client
}

/// Reads the data source.
async fn look(mut client: ProviderClient<Channel>, name: &str) -> read_data_source::Response {
    let request = read_data_source::Request {
        type_name: "minimal_file".to_owned(),
        config: Some(value(&json!({ "name": name }))),
        ..read_data_source::Request::default()
    };
    timeout(PATIENCE, client.read_data_source(request)).await.unwrap().unwrap().into_inner()
}

#[tokio::test]
async fn sigterm_waits_for_running_calls() {
    let mut plugin = Plugin::start_with(|command| {
        command.env("TF_LOG", "DEBUG");
    })
    .await;
    let process = plugin.process.id().unwrap();
    let files = tempfile::tempdir().unwrap();
    let client = configured(&plugin, files.path()).await;
    let mut log = BufReader::new(plugin.process.stderr.take().unwrap()).lines();
    let terminate = async {
        while !log.next_line().await.unwrap().unwrap().contains("waiting for a file") {}
        signal("TERM", process).await;
    };
    let (answer, ()) = tokio::join!(look(client, "never.txt"), terminate);
    let [error] = &answer.diagnostics[..] else { unreachable!("{:?}", answer.diagnostics) };
    assert!(error.detail.contains("cancelled; last observed: no such file"), "{error:?}");
    assert_eq!(plugin.ended().await.code(), Some(0));
    assert!(plugin.has_left_nothing());
}

/// Creates, reads and deletes the resource of the example, in a process as a host starts it.
#[tokio::test]
async fn resource_is_created_read_and_deleted() {
    let plugin = Plugin::start(None).await;
    let files = tempfile::tempdir().unwrap();
    let mut client = configured(&plugin, files.path()).await;
    let type_name = || "minimal_file".to_owned();
    let config = json!({ "name": "a.txt", "content": "one", "path": null });
    let plan = plan_resource_change::Request {
        type_name: type_name(),
        prior_state: Some(value(&json!(null))),
        proposed_new_state: Some(value(&config)),
        config: Some(value(&config)),
        ..plan_resource_change::Request::default()
    };
    let planned = client.plan_resource_change(plan).await.unwrap().into_inner();
    assert_eq!(planned.diagnostics, []);
    let apply = |prior, planned, config| apply_resource_change::Request {
        type_name: type_name(),
        prior_state: prior,
        planned_state: planned,
        config,
        ..apply_resource_change::Request::default()
    };
    let none = || Some(value(&json!(null)));
    let create = apply(none(), planned.planned_state, Some(value(&config)));
    let created = client.apply_resource_change(create).await.unwrap().into_inner();
    assert_eq!(created.diagnostics, []);
    assert_eq!(std::fs::read_to_string(files.path().join("a.txt")).unwrap(), "one");

    let found = look(client.clone(), "a.txt").await;
    assert_eq!(found.diagnostics, []);
    assert!(String::from_utf8_lossy(&found.state.unwrap().msgpack).contains("one"));

    let destroyed = client.apply_resource_change(apply(created.new_state, none(), none())).await.unwrap().into_inner();
    assert_eq!(destroyed.diagnostics, []);
    assert_eq!(std::fs::read_dir(files.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn process_ends_with_its_host() {
    let directory = tempfile::tempdir().unwrap();
    let mut host =
        // With `& wait` the shell remains the parent of the binary, and is not replaced by it.
        command("/bin/sh").args(["-c", r#""$TEST_BINARY" & wait"#]).envs(invitation(directory.path())).spawn().unwrap();
    // No process reads the plugin's stderr any more, which must not end it.
    drop(host.stderr.take());
    let mut plugin = Plugin::from_process(host, directory).await;
    assert_eq!(health(plain_channel(&plugin.address).await).await, ServingStatus::Serving);

    plugin.process.kill().await.unwrap();
    until("the socket is gone", async || plugin.has_left_nothing()).await;
}

#[tokio::test]
async fn debug_mode_prints_the_reattach_variable() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = binary().arg("--debug").env("TMPDIR", directory.path()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let value = loop {
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        if let Some(value) = line.trim().strip_prefix("TF_REATTACH_PROVIDERS='") {
            break value.strip_suffix('\'').unwrap().to_owned();
        }
    };
    let attach: serde_json::Value = serde_json::from_str(&value).unwrap();
    let attach = &attach["registry.opentofu.org/example/minimal"];
    assert_eq!(attach["ProtocolVersion"], 6);
    assert_eq!(attach["Pid"], process.id().unwrap());

    // One host after the other: a Shutdown does not end a process that the host did not start.
    let address = attach["Addr"]["String"].as_str().unwrap();
    for _ in 0..2 {
        let channel = plain_channel(address).await;
        assert_eq!(health(channel.clone()).await, ServingStatus::Serving);
        GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    }

    signal("INT", process.id().unwrap()).await;
    let status = timeout(PATIENCE, process.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn stderr_is_empty_without_logging() {
    let (host, stranger) = (Identity::new(), Identity::new());
    let plugin = Plugin::start(Some(&host)).await;
    alert(&plugin, Some(&stranger), &TLS13).await;
    assert_eq!(plugin.written().await, (String::new(), String::new()));

    let plugin = Plugin::start_with(|command| {
        command.env("PLUGIN_CLIENT_CERT", host.pem()).env("TF_LOG", "TRACE");
    })
    .await;
    alert(&plugin, Some(&stranger), &TLS13).await;
    health(plugin.channel(&host).await).await;
    let (stdout, stderr) = plugin.written().await;
    assert_eq!(stdout, "");
    let lines: Vec<serde_json::Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty());
    for line in &lines {
        assert_eq!(line["@module"], "provider.minimal");
        assert!(line["@message"].is_string() && line["@timestamp"].is_string(), "{line}");
    }
    assert!(lines.iter().any(|line| line["@message"] == "refused a connection"), "{stderr}");
}
