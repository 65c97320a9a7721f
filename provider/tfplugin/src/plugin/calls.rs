//! The number of running calls.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tower::{Layer, Service};

/// Counts the calls that are running.
#[derive(Clone, Debug)]
pub(super) struct Calls(watch::Sender<usize>);

impl Calls {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Waits until no call has been running for `time`.
    pub(super) async fn none_for(&self, time: Duration) {
        let mut running = self.0.subscribe();
        loop {
            // `self` holds the sender, so that waiting cannot fail.
            let _ = running.wait_for(|count| *count == 0).await;
            tokio::select! {
                () = sleep(time) => return,
                _ = running.wait_for(|count| *count > 0) => {}
            }
        }
    }

    fn begin(&self) -> Running {
        self.0.send_modify(|count| *count += 1);
        Running(self.clone())
    }
}

/// A running call. It is dropped at its end, and also if the host cancels it.
struct Running(Calls);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

impl<S> Layer<S> for Calls {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, calls: self.clone() }
    }
}

/// A service whose calls are counted.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    calls: Calls,
}

impl<S, R> Service<R> for Counted<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let running = self.calls.begin();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(running);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shutdown_waits_for_running_calls() {
        let (calls, quiet) = (Calls::new(), Duration::from_millis(20));
        calls.none_for(quiet).await;
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let mut finished = Some(finished);
        let service = tower::service_fn(move |()| {
            let finished = finished.take();
            async move {
                let _ = finished.unwrap().await;
                Ok::<_, std::convert::Infallible>(())
            }
        });
        let call = tokio::spawn(calls.layer(service).call(()));
        assert!(tokio::time::timeout(quiet * 5, calls.none_for(quiet)).await.is_err());
        finish.send(()).unwrap();
        call.await.unwrap().unwrap();
        calls.none_for(quiet).await;
    }
}
