//! A small web service of a test's own.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on loopback that answers by a function, and remembers what it was asked.
#[derive(Debug)]
pub struct Web {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Web {
    /// Whatever `answer` has for a request is its answer; nothing is 404.
    ///
    /// # Panics
    ///
    /// When loopback has no port left.
    pub async fn start(
        answer: impl Fn(&Request<Incoming>) -> Option<Response<String>> + Send + Sync + 'static,
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
                    let answer = answer(&request).unwrap_or_else(|| {
                        let mut none = Response::default();
                        *none.status_mut() = StatusCode::NOT_FOUND;
                        none
                    });
                    std::future::ready(Ok::<_, Infallible>(answer.map(|text| Full::new(Bytes::from(text)))))
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

    /// Method and target of every request so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
