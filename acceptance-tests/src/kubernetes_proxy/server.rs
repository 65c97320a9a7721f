//! The server of the proxy: accepts connections, and forwards requests that no fault stops.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::KubernetesCall;
use super::fault::{Effect, KubernetesFault};

#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) faults: Mutex<Vec<KubernetesFault>>,
    pub(super) calls: Mutex<Vec<KubernetesCall>>,
    pub(super) tokens: Mutex<Tokens>,
}

#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) seen: HashMap<Vec<u8>, usize>,
    /// Tokens up to this number are rejected.
    pub(super) expired: usize,
}

/// Locks a mutex. Ignores poisoning: the test has failed already, and the content is evidence.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// TLS with the API server's own certificate, which is valid for the address with any port.
pub(super) fn acceptor(files: &Path) -> TlsAcceptor {
    // An error means that a default provider is installed already.
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    let certificate = CertificateDer::from_pem_file(files.join("apiserver.crt")).expect("the API server's certificate");
    let key = PrivateKeyDer::from_pem_file(files.join("apiserver.key")).expect("the API server's key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.expect("a certificate with its key")))
}

/// A client without credentials: each request has those of its caller.
pub(super) fn client(host: &str, authority: &str) -> kube::Client {
    let mut config = kube::Config::new(host.parse().expect("the API server's address"));
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("the cluster's authority");
    config.root_cert = Some(vec![authority.to_vec()]);
    // Each request is forwarded once, so that the provider receives every error of the API server.
    config.default_retry = false;
    config.proxy_url = None;
    kube::Client::try_from(config).expect("the cluster's client can be made")
}

#[derive(Clone)]
pub(super) struct Server {
    pub(super) acceptor: TlsAcceptor,
    pub(super) server: kube::Client,
    pub(super) shared: Arc<Shared>,
    pub(super) start: Instant,
}

type Answer = Response<UnsyncBoxBody<Bytes, Reset>>;

/// Error that makes hyper close the connection.
#[derive(Debug, thiserror::Error)]
#[error("reset by the test")]
struct Reset;

impl Server {
    pub(super) async fn run(self, listener: TcpListener, mut up: watch::Receiver<bool>) {
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = accept(listener.as_ref()) => {
                    // Connections that are closed early end with a reset, as on a network.
                    if accepted.set_zero_linger().is_ok() {
                        connections.spawn(self.clone().serve(accepted));
                    }
                }
                changed = up.changed() => match changed {
                    Ok(()) if *up.borrow_and_update() => {
                        listener = Some(TcpListener::bind(address).await.expect("the port is still ours"));
                    }
                    Ok(()) => {
                        listener = None;
                        connections.shutdown().await;
                    }
                    Err(_) => return,
                },
            }
        }
    }

    async fn serve(self, stream: tokio::net::TcpStream) {
        let Ok(stream) = self.acceptor.accept(stream).await else { return };
        let service = service_fn(|request| self.clone().answer(request));
        // The client handles the end of a connection, including errors.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Answer, Reset> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Reset)?.to_bytes();
        let request = Request::from_parts(parts, body);
        let (index, fault) = self.note(&request);
        let answer = self.faulty(request, fault).await;
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        // The record does not exist if the test cleared the calls in the meantime.
        if let Some(call) = locked(&self.shared.calls).get_mut(index) {
            call.status = status;
        }
        answer
    }

    /// Records a request and returns its index and its fault.
    fn note(&self, request: &Request<Bytes>) -> (usize, Option<Effect>) {
        let method = request.method().as_str();
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let (token, is_expired) = self.token(request);
        let hit = locked(&self.shared.faults)
            .iter_mut()
            .find_map(|fault| fault.hits(method, &format!("{path}?{query}")).then(|| fault.effect.clone()));
        let effect = if is_expired { Some(KubernetesFault::unauthorized("*", "").effect) } else { hit };
        let user_agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut calls = locked(&self.shared.calls);
        calls.push(KubernetesCall {
            at: self.start.elapsed().as_millis(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status: None,
            user_agent: user_agent.to_owned(),
            token,
            fault: effect.as_ref().map(|effect| format!("{effect:?}")),
        });
        (calls.len() - 1, effect)
    }

    /// The number of the request's token, and whether the token has expired.
    fn token(&self, request: &Request<Bytes>) -> (usize, bool) {
        let Some(header) = request.headers().get(AUTHORIZATION) else { return (0, false) };
        let mut tokens = locked(&self.shared.tokens);
        let next = tokens.seen.len() + 1;
        let number = *tokens.seen.entry(header.as_bytes().to_vec()).or_insert(next);
        (number, number <= tokens.expired)
    }

    async fn faulty(&self, request: Request<Bytes>, fault: Option<Effect>) -> Result<Answer, Reset> {
        match fault {
            None => self.forward(request).await.map(whole),
            Some(Effect::Delay(by)) => {
                tokio::time::sleep(by).await;
                self.forward(request).await.map(whole)
            }
            Some(Effect::DropBefore) => Err(Reset),
            Some(Effect::DropAfter) => self.forward(request).await.and(Err(Reset)),
            Some(Effect::Cut) => self.forward(request).await.map(half),
            Some(Effect::Change(change)) => self.forward(request).await.map(|answer| whole(changed(answer, &*change))),
            Some(Effect::Answer { status, content_type, body, retry_after }) => {
                let mut answer = Response::builder().status(status).header(CONTENT_TYPE, content_type);
                if let Some(seconds) = retry_after {
                    answer = answer.header(RETRY_AFTER, seconds);
                }
                Ok(whole(answer.body(Bytes::from(body)).expect("an answer")))
            }
        }
    }

    /// Forwards a request and returns the response of the API server.
    async fn forward(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Reset> {
        let (mut parts, body) = request.into_parts();
        // The client sets the host of the API server. Connections to both sides are independent.
        parts.headers.remove(HOST);
        parts.headers.remove(CONNECTION);
        let request = Request::from_parts(parts, kube::client::Body::from(body));
        let answer = self.server.send(request).await.map_err(|_| Reset)?;
        let (mut parts, body) = answer.into_parts();
        // The body is sent again as a whole, so that its framing changes.
        for header in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            parts.headers.remove(header);
        }
        let body = body.collect_bytes().await.map_err(|_| Reset)?;
        Ok(Response::from_parts(parts, body))
    }
}

/// Accepts the next connection. Never returns while there is no listener.
async fn accept(listener: Option<&TcpListener>) -> tokio::net::TcpStream {
    loop {
        match listener {
            Some(listener) => match listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            None => std::future::pending().await,
        }
    }
}

fn whole(answer: Response<Bytes>) -> Answer {
    answer.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())
}

fn half(answer: Response<Bytes>) -> Answer {
    let (mut parts, body) = answer.into_parts();
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    let begin = Ok(Frame::data(body.slice(..body.len() / 2)));
    let end = async {
        // Gives the client time to read the first half: a reset discards data that was not read.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(Reset)
    };
    let frames = stream::iter([begin]).chain(stream::once(end));
    Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
}

fn changed(answer: Response<Bytes>, change: &(dyn Fn(&mut Value) + Send + Sync)) -> Response<Bytes> {
    answer.map(|body| {
        let mut object: Value = serde_json::from_slice(&body).expect("the API server answers in JSON");
        change(&mut object);
        Bytes::from(object.to_string())
    })
}
