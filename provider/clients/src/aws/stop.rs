//! AWS calls that end when the run is stopped.
//!
//! The SDK repeats a call for minutes and waits a minute for each response. After a stop, no call is repeated; a read
//! request in flight is abandoned, and a change in flight is awaited for a limited time.

use std::time::Duration;

use aws_sdk_sts::config::{AsyncSleep, Sleep};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::identity::{IdentityFuture, ResolveCachedIdentity, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::attempts;
use super::renewal::Renewal;
use crate::stop::Stop;

/// The run was stopped before a response arrived.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the run was stopped")]
pub(super) struct Stopped {
    /// Whether an attempt may have taken effect.
    pub(super) may_be_done: bool,
}

/// The length of a pause after a stop.
const PAUSE: Duration = Duration::from_millis(20);

/// Prevents retries after a stop.
#[derive(Clone, Debug)]
pub(super) struct NoFurtherTry(pub(super) Stop);

/// An earlier attempt of the call may have taken effect.
#[derive(Debug)]
struct MayBeDone;

impl Storable for MayBeDone {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for NoFurtherTry {
    fn name(&self) -> &'static str {
        "gitlabspot: no further try after a stop"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // A call that begins after the stop is made once: operations read what they created before they end.
        let is_first = config.load::<RequestAttempts>().is_none_or(|attempts| attempts.attempts() <= 1);
        match self.0.is_wanted() && !is_first {
            true => Err(Stopped { may_be_done: config.load::<MayBeDone>().is_some() }.into()),
            false => Ok(()),
        }
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if attempts::is_answer_lost(context) {
            config.interceptor_state().store_put(MayBeDone);
        }
        Ok(())
    }
}

impl ClassifyRetry for NoFurtherTry {
    fn classify_retry(&self, _context: &InterceptorContext) -> RetryAction {
        match self.0.is_wanted() {
            true => RetryAction::RetryForbidden,
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "gitlabspot: no further try after a stop"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Pauses between attempts, which end with the stop.
#[derive(Debug)]
pub(super) struct Pauses(pub(super) Stop);

impl AsyncSleep for Pauses {
    fn sleep(&self, duration: Duration) -> Sleep {
        let stopped = self.0.token().clone().cancelled_owned();
        Sleep::new(async move {
            let end = async {
                stopped.await;
                // Not immediately: a loop that sleeps repeatedly would otherwise block the other tasks.
                tokio::time::sleep(PAUSE).await;
            };
            tokio::select! {
                () = tokio::time::sleep(duration) => {}
                () = end => {}
            }
        })
    }
}

/// An HTTP client that abandons requests in flight after a stop.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) inner: SharedHttpClient,
    pub(super) stop: Stop,
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    stop: Stop,
}

impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, stop: self.stop.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (stop, changes) = (self.stop.clone(), changes(&request));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let end = async {
                match changes {
                    true => stop.for_a_change().await,
                    false => stop.for_a_look().await,
                }
            };
            tokio::select! {
                biased;
                // A response that has arrived counts, even if the stop came at the same time.
                answer = answer => answer,
                () = end => Err(ConnectorError::other(Stopped { may_be_done: changes }.into(), None)),
            }
        })
    }
}

/// Whether a request may change an object. The Query APIs send all actions as `POST`, so that the name of the action
/// decides.
fn changes(request: &HttpRequest) -> bool {
    const LOOKS: [&str; 5] = ["Describe", "Get", "List", "Simulate", "AssumeRole"];
    match request.method() {
        "GET" | "HEAD" => false,
        "POST" => {
            let body = request.body().bytes().unwrap_or_default();
            let action = body.strip_prefix(b"Action=").unwrap_or_default();
            !LOOKS.iter().any(|look| action.starts_with(look.as_bytes()))
        }
        _ => true,
    }
}

/// An identity cache whose callers do not wait for credentials after a stop.
#[derive(Debug)]
pub(super) struct Identities {
    pub(super) renewal: Renewal,
    pub(super) stop: Stop,
}

impl ResolveCachedIdentity for Identities {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let identity = self.renewal.resolve_cached_identity(resolver, components, config);
            match self.stop.unless(identity).await {
                // A credential process may wait for a sign-in in the browser. The request was not sent yet.
                Some(identity) => identity,
                None => Err(Stopped { may_be_done: false }.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::aws::{AwsError, AwsSettings, Fault};
    use crate::scripted::{Answer, Script, clients};

    const SOON: Duration = Duration::from_millis(100);
    const NEVER: Duration = Duration::from_secs(3600);

    const DELETED: &str =
        "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"></DeleteUserResponse>";

    #[derive(Clone, Copy)]
    enum Call {
        Look,
        Change,
    }

    /// The failure of a call that is stopped while it waits, and the number of its requests.
    async fn stopped(call: Call, answers: &[Answer]) -> (Fault, usize) {
        let script = Script::new(answers.to_vec());
        let patient = AwsSettings { max_retries: Some(9), initial_backoff: Some(NEVER), ..script.settings() };
        let token = CancellationToken::new();
        let clients = clients(patient).with(Stop::after(&token, NEVER, SOON));
        let iam = clients.iam().await.unwrap();
        let call = async {
            match call {
                Call::Look => iam.get_user().send().await.map(drop).map_err(AwsError::of("GetUser")),
                Call::Change => {
                    iam.delete_user().user_name("u").send().await.map(drop).map_err(AwsError::of("DeleteUser"))
                }
            }
        };
        let begin = Instant::now();
        let stop = async {
            tokio::time::sleep(SOON).await;
            token.cancel();
        };
        let (result, ()) = tokio::join!(call, stop);
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        (result.unwrap_err().fault().clone(), script.requests().len())
    }

    #[tokio::test]
    async fn interrupt_abandons_requests_in_flight() {
        let look = stopped(Call::Look, &[Answer::Silence]).await;
        assert_eq!(look, (Fault::Stopped { may_be_done: false }, 1));
        let change = stopped(Call::Change, &[Answer::Silence]).await;
        assert_eq!(change, (Fault::Stopped { may_be_done: true }, 1));
    }

    #[tokio::test]
    async fn interrupt_waits_for_a_change_in_flight() {
        let script = Script::new([Answer::Slow(SOON * 2, DELETED.to_owned())]);
        let token = CancellationToken::new();
        let clients = script.clients().with(Stop::after(&token, NEVER, NEVER));
        let call = async {
            let request = clients.iam().await.unwrap().delete_user().user_name("u");
            request.send().await.map(drop).map_err(AwsError::of("DeleteUser"))
        };
        let stop = async {
            tokio::time::sleep(SOON).await;
            token.cancel();
        };
        assert_eq!(tokio::join!(call, stop), (Ok(()), ()));
    }

    #[tokio::test]
    async fn interrupt_ends_retries() {
        let throttled = Answer::Http(429, String::new());
        assert_eq!(
            stopped(Call::Look, std::slice::from_ref(&throttled)).await,
            (Fault::Stopped { may_be_done: false }, 1)
        );
        assert_eq!(stopped(Call::Change, &[throttled]).await, (Fault::Stopped { may_be_done: false }, 1));
        let lost = stopped(Call::Change, &[Answer::Reset]).await;
        assert_eq!(lost, (Fault::Stopped { may_be_done: true }, 1));
    }

    #[tokio::test]
    async fn calls_after_an_interrupt_are_made_once() {
        let script = Script::new([Answer::Http(200, DELETED.to_owned()), Answer::Http(503, String::new())]);
        let token = CancellationToken::new();
        let clients = clients(AwsSettings { max_retries: Some(9), ..script.settings() }).until(&token);
        token.cancel();
        let delete = async || {
            let request = clients.iam().await.unwrap().delete_user().user_name("u");
            request.send().await.map(drop).map_err(AwsError::of("DeleteUser"))
        };
        delete().await.unwrap();
        assert!(delete().await.unwrap_err().is_transient());
        assert_eq!(script.requests().len(), 2);
    }

    #[tokio::test]
    async fn interrupt_ends_a_credential_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "[default]\ncredential_process = exec sleep 600\n").unwrap();
        let script = Script::default();
        let token = CancellationToken::new();
        let settings = AwsSettings {
            access_key: None,
            secret_key: None,
            profile: Some("default".to_owned()),
            shared_config_files: Some(vec![file.to_str().unwrap().to_owned()]),
            shared_credentials_files: Some(vec![]),
            ..script.settings()
        };
        let clients = clients(settings).until(&token);
        let look = async { clients.account_id().await.map(str::to_owned) };
        let stop = async {
            tokio::time::sleep(SOON).await;
            token.cancel();
        };
        let (result, ()) = tokio::join!(look, stop);
        assert_eq!(result.unwrap_err().to_string(), "GetCallerIdentity: the run was stopped before a response arrived");
        assert_eq!(script.requests(), []);
    }
}
