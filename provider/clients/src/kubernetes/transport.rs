//! The transport of Kubernetes requests: adds a valid token and retries.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use secrecy::{ExposeSecret, SecretString};
use tower::buffer::Buffer;
use tower::{BoxError, Layer, Service, ServiceExt};

use super::retry::{self, NoAnswer};
use super::shape;
use super::token::Tokens;
use crate::clock::Clock;

/// How long to wait for a response.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(65);

/// Maximum number of requests that wait for the connection pool.
const QUEUE: usize = 1024;

/// Wraps kube's own stack in [`Transport`].
pub(super) struct TransportLayer {
    pub(super) tokens: Option<Tokens>,
    pub(super) clock: Arc<dyn Clock>,
    /// The address in errors of a server that cannot be reached.
    pub(super) server: Uri,
    /// The environment variable of the token, for errors of a rejected token; `None` for a token from the
    /// configuration.
    pub(super) token_from: Option<&'static str>,
}

impl<S, B> Layer<S> for TransportLayer
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Send + 'static,
    S::Future: Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Service = Transport<S::Future>;

    fn layer(&self, inner: S) -> Self::Service {
        Transport {
            // kube's stack cannot be cloned, and a retry needs it again.
            inner: Buffer::new(inner, QUEUE),
            tokens: self.tokens.clone(),
            clock: Arc::clone(&self.clock),
            server: self.server.clone(),
            token_from: self.token_from,
        }
    }
}

/// Adds the token to requests and retries them.
pub(super) struct Transport<F> {
    inner: Buffer<Request<Body>, F>,
    tokens: Option<Tokens>,
    clock: Arc<dyn Clock>,
    server: Uri,
    token_from: Option<&'static str>,
}

/// The API server did not respond.
#[derive(Debug, thiserror::Error)]
#[error("{server}")]
pub(super) struct Unanswered {
    pub(super) server: Uri,
    #[source]
    pub(super) source: BoxError,
}

impl<F: Send + 'static> Clone for Transport<F> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            tokens: self.tokens.clone(),
            clock: Arc::clone(&self.clock),
            server: self.server.clone(),
            token_from: self.token_from,
        }
    }
}

impl<F, B> Service<Request<Body>> for Transport<F>
where
    F: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Each attempt waits for the buffer itself.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (transport, token_from) = (self.clone(), self.token_from);
        Box::pin(async move { Ok(with_token_source(transport.send(request).await?, token_from)) })
    }
}

impl<F, B> Transport<F>
where
    F: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn send(self, request: Request<Body>) -> Result<Response<Bytes>, BoxError> {
        let mut token = match &self.tokens {
            Some(tokens) => Some(tokens.token().await?),
            None => None,
        };
        let mut renewed = false;
        let mut next = Some(request);
        let mut attempt = 1;
        let mut connecting = Duration::ZERO;
        loop {
            // The loop continues only with a copy of the request.
            let Some(mut request) = next.take() else {
                return Err("a request that cannot be repeated would have to be repeated".into());
            };
            // A streamed body, as in an upgrade, cannot be sent twice; the first response is then final.
            next = copy(&request);
            let method = request.method().clone();
            if let Some(token) = &token {
                request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
            }
            let began = Instant::now();
            let result = self.once(request).await;
            if result.as_ref().is_err_and(|error| retry::is_unconnected(error.as_ref())) {
                connecting += began.elapsed();
            }
            if next.is_none() {
                return result;
            }
            // A token can become invalid before it expires. If a new one is rejected as well, the rejection is final.
            if let (Some(tokens), Some(rejected)) = (&self.tokens, &token)
                && !renewed
                && result.as_ref().is_ok_and(|answer| answer.status() == StatusCode::UNAUTHORIZED)
            {
                token = Some(tokens.other_than(rejected).await?);
                renewed = true;
                continue;
            }
            let pause = match &result {
                Ok(answer) if shape::is_refused(answer.status(), answer.body()) => None,
                Ok(answer) => retry::after_answer(&method, answer.status(), answer.headers(), attempt),
                Err(error) => retry::after_error(&method, error.as_ref(), attempt, connecting),
            };
            let Some(pause) = pause else {
                return result;
            };
            tracing::debug!(attempt, ?pause, %method, "retrying a Kubernetes request");
            self.clock.sleep(pause).await;
            attempt += 1;
        }
    }

    /// Makes one attempt. An incomplete response is an error.
    async fn once(&self, request: Request<Body>) -> Result<Response<Bytes>, BoxError> {
        let mut inner = self.inner.clone();
        let answer = Box::pin(async move {
            let (head, body) = inner.ready().await?.call(request).await?.into_parts();
            let body = body.collect().await.map_err(Into::into)?.to_bytes();
            Ok(Response::from_parts(head, body))
        });
        let answer: Result<_, BoxError> = match select(answer, Box::pin(tokio::time::sleep(ANSWER_TIMEOUT))).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(NoAnswer(ANSWER_TIMEOUT).into()),
        };
        answer.map_err(|source| Unanswered { server: self.server.clone(), source }.into())
    }
}

/// The response; the message of a rejection also contains the source of the token.
fn with_token_source(answer: Response<Bytes>, token_from: Option<&str>) -> Response<Full<Bytes>> {
    let is_refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status());
    let Some(from) = token_from.filter(|_| is_refused) else { return answer.map(Full::new) };
    answer.map(|body| {
        let Ok(mut status) = serde_json::from_slice::<serde_json::Value>(&body) else { return Full::new(body) };
        let Some(message) = status["message"].as_str() else { return Full::new(body) };
        status["message"] = format!("{message} (the token is from the environment variable {from})").into();
        Full::new(Bytes::from(status.to_string()))
    })
}

fn bearer(token: &SecretString) -> Result<HeaderValue, BoxError> {
    // The error of an invalid value does not contain it.
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A copy of the request; `None` for a streamed body, as in an upgrade.
pub(super) fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let body = request.body().try_clone()?;
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use kube::api::Api;
    use serde_json::{Value, json};

    use std::time::SystemTime;

    use super::super::scripted::{Answer, Cluster};
    use super::super::token::tests::Counter;
    use super::super::{MintToken, ObjectRef, Token, get};
    use super::*;
    use crate::ClientError;

    type Secrets = Api<k8s_openapi::api::core::v1::Secret>;

    fn secret() -> Answer {
        Answer::Json(200, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}))
    }

    fn unauthorized() -> Answer {
        Answer::status(401, "Unauthorized", "Unauthorized", Value::Null)
    }

    async fn tokens_sent(answers: Vec<Answer>) -> (Result<String, String>, Vec<String>) {
        let (cluster, client, _) = Cluster::start_with(answers, Some(Arc::new(Counter::default()))).await;
        let found = Secrets::namespaced(client, "ci").get("s").await;
        let found = found.map(|secret| secret.metadata.name.unwrap()).map_err(|error| error.to_string());
        let tokens = cluster.requests().into_iter().map(|(_, token, _)| token).collect();
        (found, tokens)
    }

    #[tokio::test]
    async fn rejected_token_is_renewed_once() {
        let (found, tokens) = tokens_sent(vec![unauthorized(), secret()]).await;
        assert_eq!(found, Ok("s".to_owned()));
        assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);

        let (found, tokens) = tokens_sent(vec![unauthorized(), unauthorized(), secret()]).await;
        assert!(found.unwrap_err().contains("Unauthorized"));
        assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
    }

    /// A source that fails.
    struct Penniless;

    impl MintToken for Penniless {
        fn mint(&self, _: SystemTime) -> BoxFuture<'_, Result<Token, ClientError>> {
            let reason = "there are no AWS credentials".to_owned();
            Box::pin(std::future::ready(Err(ClientError::EksToken { cluster: "prod".to_owned(), reason })))
        }
    }

    /// The error message of reading the Secret `ci/s`.
    async fn message(client: &kube::Client) -> String {
        let place = ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some("ci".to_owned()),
            name: "s".to_owned(),
        };
        get(client, &place).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn token_failure_is_not_a_timeout() {
        let (cluster, client, _) = Cluster::start_with([secret()], Some(Arc::new(Penniless))).await;
        assert_eq!(
            message(&client).await,
            "Secret ci/s: no token for the EKS cluster \"prod\" can be created: there are no AWS credentials"
        );
        assert_eq!(cluster.requests(), []);
    }

    #[tokio::test]
    async fn silent_server_is_named() {
        let (cluster, client) = Cluster::start([]).await;
        let message = message(&client).await;
        let wanted = format!("Secret ci/s: the Kubernetes API at {}/ cannot be reached: ", cluster.url);
        assert!(message.starts_with(&wanted) && !message[wanted.len()..].contains(&cluster.url), "{message}");
    }

    #[tokio::test]
    async fn transient_failures_are_retried_with_backoff() {
        let unavailable = Answer::status(503, "ServiceUnavailable", "", Value::Null);
        let answers = [Answer::Later(3), unavailable, Answer::Reset, secret()];
        let (cluster, client, clock) = Cluster::start_with(answers, None).await;
        let found = Secrets::namespaced(client, "ci").get("s").await.unwrap();
        assert_eq!(found.metadata.name.as_deref(), Some("s"));
        assert_eq!(cluster.lines(), ["GET /api/v1/namespaces/ci/secrets/s"; 4]);
        assert_eq!(clock.sleeps(), [3_000, 1_000, 2_000].map(Duration::from_millis));
    }

    #[tokio::test]
    async fn shape_error_is_not_retried() {
        let message = "failed to create typed patch object (ci/s; /v1, Kind=Secret): .x: field not declared in schema";
        let (cluster, client) = Cluster::start([Answer::status(500, "", message, Value::Null), secret()]).await;
        assert!(Secrets::namespaced(client, "ci").get("s").await.is_err());
        assert_eq!(cluster.requests().len(), 1);
    }

    #[tokio::test]
    async fn retries_are_bounded() {
        let (cluster, client) = Cluster::start([]).await;
        assert!(Secrets::namespaced(client, "ci").get("s").await.is_err());
        assert_eq!(cluster.requests().len(), retry::MAX_ATTEMPTS as usize);
    }

    #[tokio::test]
    async fn create_is_not_retried_after_a_lost_response() {
        let (cluster, client) = Cluster::start([Answer::Reset, secret()]).await;
        let created = Secrets::namespaced(client, "ci").create(&Default::default(), &Default::default()).await;
        assert!(created.is_err());
        assert_eq!(cluster.requests().len(), 1);
    }
}
