use std::time::Duration;

use serde_json::{Value as Json, json};
use tfplugin_proto::tfplugin6::{apply_resource_change, stop_provider};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::host::{Client, apply, configured, json, planned, summaries, thing};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts an apply that ends only when it is cancelled.
fn start(mut client: Client) -> JoinHandle<apply_resource_change::Response> {
    let request = apply(Json::Null, thing(json!({"name": "wait"})), planned("wait"));
    tokio::spawn(async move { client.apply_resource_change(request).await.unwrap().into_inner() })
}

/// Calls StopProvider until the apply has ended, because a call before its start has no effect on it.
async fn stopped(
    client: &mut Client,
    running: JoinHandle<apply_resource_change::Response>,
) -> apply_resource_change::Response {
    let stopping = async {
        while !running.is_finished() {
            let answer = client.stop_provider(stop_provider::Request {}).await.unwrap().into_inner();
            assert_eq!(answer.error, "");
            sleep(Duration::from_millis(5)).await;
        }
        running.await.unwrap()
    };
    timeout(PATIENCE, stopping).await.unwrap()
}

#[tokio::test]
async fn interrupted_create_keeps_the_recorded_state() {
    let mut client = configured().await;
    let running = start(client.clone());
    let answer = stopped(&mut client, running).await;
    assert_eq!(summaries(&answer.diagnostics), ["Error: : It failed"]);
    assert_eq!(json(answer.new_state.as_ref()), thing(json!({"name": "wait", "size": 3, "id": "id-early"})));
}

#[tokio::test]
async fn calls_after_an_interrupt_run() {
    let mut client = configured().await;
    client.stop_provider(stop_provider::Request {}).await.unwrap();
    let mut running = start(client.clone());
    assert!(timeout(Duration::from_millis(100), &mut running).await.is_err());
    stopped(&mut client, running).await;
}
