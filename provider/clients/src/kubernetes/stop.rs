//! A client with requests that end when the run is stopped.

use std::time::Duration;

use futures::future::{Either, select};
use tokio_util::sync::CancellationToken;

/// How long a request may take after the stop, so that the response to a change in flight can arrive.
const GRACE: Duration = Duration::from_secs(2);

/// The run was stopped before a response arrived.
#[derive(Debug, thiserror::Error)]
#[error("the run was stopped")]
pub(super) struct Stopped;

/// The same client for one operation: after Ctrl-C, a server that does not respond or pending retries do not delay the
/// end of the run.
#[must_use]
pub(super) fn until_stopped(client: &kube::Client, stop: &CancellationToken) -> kube::Client {
    until_after(client, stop, GRACE)
}

fn until_after(client: &kube::Client, stop: &CancellationToken, grace: Duration) -> kube::Client {
    let (client, stop) = (client.clone(), stop.clone());
    let send = move |request| {
        let (client, stop) = (client.clone(), stop.clone());
        async move {
            let end = Box::pin(async {
                stop.cancelled().await;
                tokio::time::sleep(grace).await;
            });
            match select(Box::pin(client.send(request)), end).await {
                Either::Left((answer, _)) => answer.map_err(tower::BoxError::from),
                Either::Right(_) => Err(Stopped.into()),
            }
        }
    };
    let default_namespace = "default";
    kube::Client::new(tower::service_fn(send), default_namespace)
}

#[cfg(test)]
mod tests {
    use kube::api::Api;
    use kube::client::Body;

    use super::*;
    use crate::kubernetes::{KubernetesError, ObjectRef, get};

    #[tokio::test]
    async fn interrupt_abandons_a_silent_server() {
        let silent = tower::service_fn(|_: http::Request<Body>| {
            std::future::pending::<Result<http::Response<Body>, tower::BoxError>>()
        });
        let stop = CancellationToken::new();
        let client = until_after(&kube::Client::new(silent, "default"), &stop, Duration::from_millis(1));
        let place = ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some("ci".to_owned()),
            name: "s".to_owned(),
        };
        stop.cancel();
        assert!(matches!(get(&client, &place).await, Err(KubernetesError::Stopped { .. })));
    }

    #[tokio::test]
    async fn responses_and_errors_pass_through() {
        use super::super::scripted::{Answer, Cluster};

        let answers = [Answer::status(403, "Forbidden", "not you", serde_json::Value::Null)];
        let (_cluster, client) = Cluster::start(answers).await;
        let client = until_stopped(&client, &CancellationToken::new());
        let found = Api::<k8s_openapi::api::core::v1::Secret>::namespaced(client, "ci").get("s").await;
        assert!(matches!(found, Err(kube::Error::Api(status)) if status.code == 403));
    }
}
