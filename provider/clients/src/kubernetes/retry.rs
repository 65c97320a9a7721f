//! Retries of Kubernetes requests: which failures, and when.

use std::error::Error;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::aws::chain;

/// Maximum number of attempts of one request, within about half a minute.
pub(super) const MAX_ATTEMPTS: u32 = 8;

/// Connect timeout of one attempt. A private endpoint does not refuse connections from outside; it does not respond.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time in which all attempts of one request wait for a connection.
const LONGEST_CONNECTING: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Maximum of a `Retry-After`; longer values are reduced to it.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The pause between attempt `attempt` (from 1), which got this response, and the next one; `None` if there is no next
/// one.
pub(super) fn after_answer(method: &Method, status: StatusCode, headers: &HeaderMap, attempt: u32) -> Option<Duration> {
    let again = match status {
        // The server rejects these before processing, so that any method can be repeated.
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => repeatable(method),
        _ => false,
    };
    (again && attempt < MAX_ATTEMPTS).then(|| retry_after(headers).unwrap_or_else(|| backoff(attempt)))
}

/// The pause after an attempt without a response; `connecting` is the total time in which attempts of this request
/// failed to connect.
pub(super) fn after_error(
    method: &Method,
    error: &(dyn Error + 'static),
    attempt: u32,
    connecting: Duration,
) -> Option<Duration> {
    // A retry does not resolve an untrusted certificate.
    let distrust = chain(error).any(|cause| cause.is::<rustls::Error>());
    // Without a connection nothing was sent, so that any method can be repeated.
    let refused = is_unconnected(error);
    let broken =
        chain(error).any(|cause| cause.is::<hyper::Error>() || cause.is::<std::io::Error>() || cause.is::<NoAnswer>());
    // A missing response takes a minute each time; a second attempt suffices to distinguish a short failure from an
    // unavailable server.
    let silent = chain(error).any(|cause| cause.is::<NoAnswer>());
    let patient = connecting < LONGEST_CONNECTING && !(silent && attempt > 1);
    let again = !distrust && (refused || broken && repeatable(method)) && patient;
    (again && attempt < MAX_ATTEMPTS).then(|| backoff(attempt))
}

/// Whether no connection was established.
pub(super) fn is_unconnected(error: &(dyn Error + 'static)) -> bool {
    chain(error)
        .filter_map(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>())
        .any(hyper_util::client::legacy::Error::is_connect)
}

/// The server accepted the request and did not respond in time.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not respond within {} seconds", .0.as_secs())]
pub(super) struct NoAnswer(pub(super) Duration);

/// Whether repeating a request has no further effect. This includes `PATCH`: this provider's patches are server-side
/// applies, or contain the version that they change.
fn repeatable(method: &Method) -> bool {
    method.is_idempotent() || method == Method::PATCH
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

fn backoff(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(8)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_retried_by_method_and_status() {
        let none = HeaderMap::new();
        let wait: HeaderMap = [(http::header::RETRY_AFTER, "7".parse().unwrap())].into_iter().collect();
        let judge = |method, status: u16, headers: &HeaderMap, attempt| {
            after_answer(&method, StatusCode::from_u16(status).unwrap(), headers, attempt)
                .map(|pause: Duration| pause.as_millis())
        };
        assert_eq!(
            [
                judge(Method::POST, 429, &none, 1),
                judge(Method::POST, 429, &wait, 1),
                judge(Method::POST, 500, &none, 1),
                judge(Method::PATCH, 500, &none, 2),
                judge(Method::GET, 503, &wait, 3),
                judge(Method::DELETE, 504, &none, 6),
                judge(Method::GET, 503, &none, MAX_ATTEMPTS),
                judge(Method::PATCH, 409, &none, 1),
                judge(Method::GET, 404, &none, 1),
            ],
            [Some(500), Some(7_000), None, Some(1_000), Some(7_000), Some(10_000), None, None, None]
        );
    }

    #[test]
    fn errors_are_retried_by_method_and_kind() {
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let silent = NoAnswer(Duration::from_secs(60));
        let distrust = std::io::Error::other(rustls::Error::DecryptError);
        let other = std::fmt::Error;
        let judge = |method, error: &(dyn Error + 'static)| after_error(&method, error, 1, Duration::ZERO).is_some();
        assert_eq!(
            [
                judge(Method::PATCH, &reset),
                judge(Method::POST, &reset),
                judge(Method::GET, &silent),
                judge(Method::GET, &distrust),
                judge(Method::GET, &other),
            ],
            [true, false, true, false, false]
        );
        assert_eq!(after_error(&Method::GET, &silent, 2, Duration::ZERO), None);
    }

    /// The error of a client without a listening server.
    async fn refused() -> hyper_util::client::legacy::Error {
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = http::Request::get("http://127.0.0.1:1").body(http_body_util::Empty::<bytes::Bytes>::new());
        client.request(request.unwrap()).await.unwrap_err()
    }

    #[tokio::test]
    async fn refused_connection_is_retried_for_thirty_seconds() {
        let refused = refused().await;
        let judge = |seconds| after_error(&Method::POST, &refused, 2, Duration::from_secs(seconds));
        assert!(is_unconnected(&refused));
        assert_eq!(
            [judge(0), judge(29), judge(30)],
            [Some(Duration::from_secs(1)), Some(Duration::from_secs(1)), None]
        );
    }
}
