//! A small HTTP server for one test.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on loopback that responds with the result of a function and records requests.
#[derive(Debug)]
pub struct Web {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Web {
    /// Starts a server that responds with the result of `answer`, and with 404 for `None`.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn start<B: Into<Bytes>>(
        answer: impl Fn(&Request<Bytes>) -> Option<Response<B>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let (noted, answer) = (Arc::clone(&seen), Arc::new(answer));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                let service = service_fn(move |request: Request<Incoming>| {
                    let line = format!("{} {}", request.method(), request.uri());
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    let answer = Arc::clone(&answer);
                    async move {
                        let (head, body) = request.into_parts();
                        let request = Request::from_parts(head, body.collect().await?.to_bytes());
                        let found = answer(&request).map(|answer| answer.map(Into::into));
                        Ok::<_, hyper::Error>(found.unwrap_or_else(not_found).map(Full::new))
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, seen, serving }
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Method and target of all requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn not_found() -> Response<Bytes> {
    let mut none = Response::default();
    *none.status_mut() = StatusCode::NOT_FOUND;
    none
}

impl Drop for Web {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
