//! Renewal of credentials that expire while they are in use.
//!
//! An apply may take longer than the lifetime of its credentials. AWS then returns an "expired" error, or an "unknown
//! key" error if the key was rotated. If the same credentials were accepted before, they are requested again from their
//! source (a profile, a credential process, a role), and the call is repeated once. If the source returns the same key,
//! the error is final.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::error::chain;
use super::process::ProcessFailed;
use super::retry::names_code;
use crate::once::{Failure, Once};

/// Error codes for credentials that AWS no longer accepts. Each service has its own.
const NO_LONGER: [&str; 7] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnrecognizedClientException",
];

/// Header that marks a response for the retry classifier: the credentials may have been renewed.
const RENEWED: &str = "x-gitlabspot-renewed";

/// Caches the credentials of one configuration, and discards them after a rejection.
#[derive(Debug, Clone)]
pub(super) struct Renewal {
    memory: Arc<Mutex<Memory>>,
    /// The result of the first request for credentials. Without credentials, evaluating the standard chain may take
    /// seconds, so that a lasting failure is kept.
    first: Arc<Once<(), Unresolved>>,
}

/// Why there are no credentials.
#[derive(Debug, Clone)]
struct Unresolved(Arc<BoxError>);

impl fmt::Display for Unresolved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Error for Unresolved {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref().as_ref())
    }
}

impl Failure for Unresolved {
    fn lasts(&self) -> bool {
        chain(self).any(|cause| {
            cause.is::<ProcessFailed>()
                || matches!(cause.downcast_ref(), Some(CredentialsError::CredentialsNotLoaded(_)))
        })
    }
}

#[derive(Debug)]
struct Memory {
    cache: SharedIdentityCache,
    /// How often the cache was discarded.
    generation: u32,
    /// The state of each access key that the cache returned, by access key ID.
    keys: HashMap<String, Key>,
}

#[derive(Debug, Default)]
struct Key {
    worked: bool,
    /// The generation that began with its rejection.
    rejected: Option<u32>,
    /// The source returned it again after its rejection, so that another renewal is useless.
    came_back: bool,
}

impl Renewal {
    pub(super) fn new() -> Self {
        let memory = Memory { cache: empty_cache(), generation: 0, keys: HashMap::new() };
        Self { memory: Arc::new(Mutex::new(memory)), first: Arc::default() }
    }

    /// Whether this response was marked by a renewal.
    pub(super) fn happened(response: &HttpResponse) -> bool {
        response.headers().get(RENEWED).is_some()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty_cache() -> SharedIdentityCache {
    aws_config::identity::IdentityCache::lazy().build()
}

impl Memory {
    fn handed_out(&mut self, access_key_id: &str, generation: u32) {
        let key = self.keys.entry(access_key_id.to_owned()).or_default();
        key.came_back |= key.rejected.is_some_and(|rejected| generation >= rejected);
    }

    fn worked(&mut self, access_key_id: &str) {
        if let Some(key) = self.keys.get_mut(access_key_id) {
            key.worked = true;
        }
    }

    /// Records a rejection. Returns whether the call is worth another attempt. Of concurrent rejections, only the first
    /// discards the cache.
    fn rejected(&mut self, access_key_id: &str) -> bool {
        let Some(key) = self.keys.get_mut(access_key_id) else { return false };
        // A key that was never accepted is invalid and not expired, so that its source has no better one.
        if !key.worked || key.came_back {
            return false;
        }
        if key.rejected.is_none() {
            self.generation += 1;
            key.rejected = Some(self.generation);
            self.cache = empty_cache();
            tracing::info!(
                access_key_id,
                "AWS no longer accepts these credentials; requesting new ones from their \
                source"
            );
        }
        true
    }
}

impl ResolveCachedIdentity for Renewal {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let (cache, generation) = {
            let memory = self.memory();
            (memory.cache.clone(), memory.generation)
        };
        IdentityFuture::new(async move {
            // The first request only determines whether there are credentials. They are then read from the cache.
            let first = async || {
                let found = cache.resolve_cached_identity(resolver.clone(), components, config).await;
                found.map(drop).map_err(|error| Unresolved(Arc::new(error)))
            };
            self.first.get(first).await?;
            let identity = cache.resolve_cached_identity(resolver, components, config).await?;
            if let Some(credentials) = identity.data::<Credentials>() {
                self.memory().handed_out(credentials.access_key_id(), generation);
            }
            Ok(identity)
        })
    }
}

/// The access key ID of the signature of a request.
#[derive(Debug)]
struct SignedWith(String);

impl Storable for SignedWith {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Renewal {
    fn name(&self) -> &'static str {
        "gitlabspot: retrieve expired credentials again"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The signature contains the key of this attempt; the attempts of one call can have different keys.
        let authorization = context.request().headers().get("authorization").unwrap_or_default();
        let key = authorization.split_once("Credential=").and_then(|(_, scope)| scope.split_once('/'));
        if let Some((key, _)) = key {
            config.interceptor_state().store_put(SignedWith(key.to_owned()));
        }
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(SignedWith(key)) = config.load::<SignedWith>() else { return Ok(()) };
        let Some(response) = context.response_mut() else { return Ok(()) };
        if response.status().is_success() {
            self.memory().worked(key);
        } else if is_rejection(response) && self.memory().rejected(key) {
            response.headers_mut().insert(RENEWED, "1");
            // The attempt with renewed credentials does not count towards max_retries.
            if let Some(retries) = config.load::<RetryConfig>().cloned() {
                let attempts = retries.max_attempts().saturating_add(1);
                config.interceptor_state().store_put(retries.with_max_attempts(attempts));
            }
        }
        Ok(())
    }
}

fn is_rejection(response: &HttpResponse) -> bool {
    let header = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let body = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    NO_LONGER.iter().any(|code| header.split(':').next() == Some(code) || names_code(&body, code))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::provider::future::ProvideCredentials as Future;
    use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

    use super::super::{Endpoints, eks, load};
    use super::*;
    use crate::aws::{AwsError, Fault};
    use crate::scripted::{Answer, Script};
    use crate::{Environment, UserAgent};

    /// Returns these keys in order, and repeats the last one. An empty key means no credentials, and "?" a failure.
    #[derive(Debug, Clone)]
    struct Keys(&'static [&'static str], Arc<AtomicUsize>);

    impl Keys {
        fn of(keys: &'static [&'static str]) -> Self {
            Self(keys, Arc::default())
        }

        fn asked(&self) -> usize {
            self.1.load(Ordering::Relaxed)
        }
    }

    impl ProvideCredentials for Keys {
        fn provide_credentials<'a>(&'a self) -> Future<'a>
        where
            Self: 'a,
        {
            let number = self.1.fetch_add(1, Ordering::Relaxed).min(self.0.len() - 1);
            Future::ready(match self.0[number] {
                "" => Err(CredentialsError::not_loaded("none")),
                "?" => Err(CredentialsError::provider_error("not now")),
                key => Ok(Credentials::new(key, "s", None, None, "test")),
            })
        }
    }

    async fn client(script: &Script, keys: &Keys) -> aws_sdk_eks::Client {
        let connection = load(&script.settings(), &UserAgent::default(), &Environment::fixed([])).await.unwrap();
        let connection = connection.with_credentials(SharedCredentialsProvider::new(keys.clone()));
        eks(&connection, &Endpoints::default())
    }

    fn good() -> Answer {
        Answer::Http(200, r#"{"clusters": []}"#.to_owned())
    }

    fn bad(code: &str) -> Answer {
        Answer::Http(403, format!(r#"{{"__type": "{code}", "message": "no"}}"#))
    }

    async fn list(eks: &aws_sdk_eks::Client) -> Result<(), String> {
        let answer = eks.list_clusters().send().await;
        answer.map(drop).map_err(|error| AwsError::new("ListClusters", &error).code().unwrap_or_default().to_owned())
    }

    /// The keys that the requests were signed with.
    fn signers(script: &Script) -> Vec<String> {
        let key = |text: &str| text.split(['=', '/']).nth(1).unwrap_or_default().to_owned();
        script.requests().iter().map(|request| key(&request.authorization)).collect()
    }

    #[tokio::test]
    async fn expired_credentials_are_renewed_once() {
        let script =
            Script::new([good(), bad("ExpiredTokenException"), good(), bad("UnrecognizedClientException"), good()]);
        let keys = Keys::of(&["A", "B", "C"]);
        let eks = client(&script, &keys).await;
        for _ in 0..3 {
            list(&eks).await.unwrap();
        }
        assert_eq!(signers(&script), ["A", "A", "B", "B", "C"]);
        assert_eq!(keys.asked(), 3);
    }

    #[tokio::test]
    async fn missing_credentials_are_resolved_once() {
        let script = Script::new([good()]);
        let keys = Keys::of(&["", "A"]);
        let eks = client(&script, &keys).await;
        for _ in 0..3 {
            let error = eks.list_clusters().send().await.unwrap_err();
            let error = AwsError::new("ListClusters", &error);
            assert!(matches!(error.fault(), Fault::Credentials { found: false, .. }), "{error:?}");
        }
        assert_eq!((keys.asked(), script.requests().len()), (1, 0));
        // A failure may be temporary.
        let keys = Keys::of(&["?", "A"]);
        let eks = client(&script, &keys).await;
        assert!(list(&eks).await.is_err());
        list(&eks).await.unwrap();
        assert_eq!(keys.asked(), 2);
    }

    #[tokio::test]
    async fn renewal_with_the_same_keys_ends_the_retry() {
        let script = Script::new([good(), bad("ExpiredToken"), bad("ExpiredToken"), bad("ExpiredToken")]);
        let keys = Keys::of(&["A"]);
        let eks = client(&script, &keys).await;
        list(&eks).await.unwrap();
        assert_eq!(list(&eks).await.unwrap_err(), "ExpiredToken");
        assert_eq!((signers(&script).len(), keys.asked()), (3, 2));
        assert_eq!(list(&eks).await.unwrap_err(), "ExpiredToken");
        assert_eq!((signers(&script).len(), keys.asked()), (4, 2));
    }

    #[tokio::test]
    async fn credentials_never_accepted_are_not_renewed() {
        let script = Script::new([bad("ExpiredTokenException")]);
        let keys = Keys::of(&["A", "B"]);
        let eks = client(&script, &keys).await;
        assert_eq!(list(&eks).await.unwrap_err(), "ExpiredTokenException");
        assert_eq!((signers(&script).len(), keys.asked()), (1, 1));
    }

    #[tokio::test]
    async fn access_denied_does_not_renew_credentials() {
        let script = Script::new([good(), bad("AccessDeniedException")]);
        let keys = Keys::of(&["A", "B"]);
        let eks = client(&script, &keys).await;
        list(&eks).await.unwrap();
        assert_eq!(list(&eks).await.unwrap_err(), "AccessDeniedException");
        assert_eq!(keys.asked(), 1);
    }

    #[test]
    fn concurrent_rejections_renew_credentials_once() {
        let renewal = Renewal::new();
        let mut memory = renewal.memory();
        memory.handed_out("A", 0);
        memory.worked("A");
        assert_eq!([memory.rejected("A"), memory.rejected("A")], [true, true]);
        assert_eq!(memory.generation, 1);
        // A call that got its credentials before the rejection does not show whether the source returns the same key
        // again.
        memory.handed_out("A", 0);
        assert!(memory.rejected("A"));
        memory.handed_out("A", 1);
        assert!(!memory.rejected("A"));
        // The cache did not return this key.
        memory.worked("Z");
        assert!(!memory.rejected("Z"));
    }
}
