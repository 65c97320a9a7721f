//! A server for the state of the backend `http`.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::Web;

/// A server on loopback that stores one state and one lock.
#[derive(Debug)]
pub struct StateStore {
    web: Web,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    state: Option<Bytes>,
    /// Lock information from its holder.
    lock: Option<Bytes>,
}

impl StateStore {
    /// Starts the server without a state and without a lock.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn start() -> Self {
        let content = Arc::<Mutex<Content>>::default();
        let answering = Arc::clone(&content);
        let web =
            Web::start(move |request| Some(answering.lock().unwrap_or_else(PoisonError::into_inner).answer(request)))
                .await;
        Self { web, content }
    }

    /// A JSON configuration with the block `terraform` for this backend.
    #[must_use]
    pub fn backend(&self) -> String {
        let url = self.web.url();
        let http = json!({
            "address": format!("{url}/state"), "lock_address": format!("{url}/lock"),
            "unlock_address": format!("{url}/lock"), "retry_max": 0,
        });
        json!({ "terraform": { "backend": { "http": http } } }).to_string()
    }

    /// The stored state.
    #[must_use]
    pub fn state(&self) -> Option<Value> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.state.as_ref().and_then(|state| serde_json::from_slice(state).ok())
    }

    /// Lock information from the holder of the lock.
    #[must_use]
    pub fn lock(&self) -> Option<Value> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.lock.as_ref().and_then(|lock| serde_json::from_slice(lock).ok())
    }

    /// Method and path of all requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.web.seen()
    }
}

impl Content {
    fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let body = request.body().clone();
        match request.method().as_str() {
            // The backend reads 204 as a state that does not exist.
            "GET" => self.state.clone().map_or_else(|| status(StatusCode::NO_CONTENT), Response::new),
            "LOCK" => match &self.lock {
                Some(holder) => {
                    let mut refused = Response::new(holder.clone());
                    *refused.status_mut() = StatusCode::LOCKED;
                    refused
                }
                None => {
                    self.lock = Some(body);
                    status(StatusCode::OK)
                }
            },
            "UNLOCK" => {
                self.lock = None;
                status(StatusCode::OK)
            }
            "POST" if self.holds(request) => {
                self.state = Some(body);
                status(StatusCode::OK)
            }
            "POST" => status(StatusCode::CONFLICT),
            "DELETE" => {
                self.state = None;
                status(StatusCode::OK)
            }
            _ => status(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    /// Whether the writer holds the lock: the backend sends the lock ID in the query.
    fn holds(&self, request: &Request<Bytes>) -> bool {
        let lock = self.lock.as_ref().and_then(|lock| serde_json::from_slice::<Value>(lock).ok());
        let id = lock.as_ref().and_then(|lock| lock["ID"].as_str());
        id.is_some_and(|id| request.uri().query().is_some_and(|query| query.contains(&format!("ID={id}"))))
    }
}

fn status(code: StatusCode) -> Response<Bytes> {
    let mut response = Response::default();
    *response.status_mut() = code;
    response
}
