//! A Kubernetes API for tests: a loopback server that sends scripted responses and records requests.

#![expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::kubeconfig::Connection;
use super::settings::KubernetesSettings;
use super::token::{MintToken, Tokens};
use super::transport::TransportLayer;
use crate::clock::testing::ManualClock;
use crate::environment::Environment;

/// The response to one request.
#[derive(Debug, Clone)]
pub enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// 429 with `Retry-After`, in seconds.
    Later(u64),
    /// The connection is closed without a response.
    Reset,
}

impl Answer {
    /// A `Status` in the format of the API server.
    pub fn status(code: u16, reason: &str, message: &str, causes: Value) -> Self {
        let causes = if causes.is_null() { json!([]) } else { causes };
        Self::Json(
            code,
            json!({
                "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason,
                "message": message, "details": {"causes": causes},
            }),
        )
    }
}

/// A recorded request: method and URI, `Authorization`, body.
pub type Request = (String, String, String);

/// A server with scripted responses. After the last one, it closes connections.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub url: String,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Cluster {
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first line of each request.
    pub fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|(line, ..)| line).collect()
    }

    /// Starts a server with these responses. The client's clock does not wait.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, kube::Client) {
        let (cluster, client, _) = Self::start_with(answers, None).await;
        (cluster, client)
    }

    pub(crate) async fn start_with(
        answers: impl IntoIterator<Item = Answer>,
        tokens: Option<Arc<dyn MintToken>>,
    ) -> (Self, kube::Client, Arc<ManualClock>) {
        let cluster = Self::listen(answers).await;
        let nothing = Environment::fixed([]);
        let connection = Connection::from_settings(&cluster.settings(), &nothing).await.unwrap();
        let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
        let mut config = connection.config;
        config.default_retry = false;
        let layer = TransportLayer {
            tokens: tokens.map(|source| Tokens::new(source, None, clock.clone())),
            clock: clock.clone(),
            server: config.cluster_url.clone(),
            token_from: None,
        };
        let client = kube::client::ClientBuilder::try_from(config).unwrap().with_layer(&layer).build();
        (cluster, client, clock)
    }

    /// Starts a server with these responses, for clients that the test creates.
    pub async fn listen(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cluster = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            requests: Arc::default(),
        };
        tokio::spawn(cluster.clone().serve(listener));
        cluster
    }

    /// Settings that connect to this server.
    pub fn settings(&self) -> KubernetesSettings {
        KubernetesSettings { host: Some(self.url.clone()), ..KubernetesSettings::default() }
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let cluster = self.clone();
            let service = service_fn(move |request| cluster.clone().answer(request));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn answer(self, request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Closed> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let authorization = parts.headers.get(http::header::AUTHORIZATION);
        self.requests.lock().unwrap().push((
            format!("{} {}", parts.method, parts.uri),
            authorization.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default(),
            String::from_utf8(body.to_vec()).unwrap(),
        ));
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Reset);
        let response = http::Response::builder().header("content-type", "application/json");
        match answer {
            Answer::Json(status, body) => Ok(response.status(status).body(body.to_string().into()).unwrap()),
            Answer::Text(status, body) => Ok(response.status(status).body(body.into()).unwrap()),
            Answer::Later(seconds) => {
                let response = response.status(429).header("retry-after", seconds);
                Ok(response.body(Full::default()).unwrap())
            }
            Answer::Reset => Err(Closed),
        }
    }
}

/// An error that causes hyper to close the connection.
#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct Closed;
