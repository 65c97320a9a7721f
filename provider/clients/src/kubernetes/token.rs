//! Bearer tokens that are renewed: their sources, and when.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::error::ClientError;

/// How long before its expiration a token is renewed: clocks differ, and requests take time.
pub(super) const SKEW: Duration = Duration::from_mins(1);

/// A bearer token and its expiration time, if any.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    pub(crate) expires: Option<SystemTime>,
}

/// A source of tokens.
pub(crate) trait MintToken: Send + Sync {
    fn mint(&self, now: SystemTime) -> BoxFuture<'_, Result<Token, ClientError>>;
}

/// A token in a file that another process renews, such as the kubelet.
#[derive(Debug)]
pub(super) struct TokenFile(pub(super) PathBuf);

impl MintToken for TokenFile {
    fn mint(&self, now: SystemTime) -> BoxFuture<'_, Result<Token, ClientError>> {
        Box::pin(async move {
            let text = tokio::fs::read_to_string(&self.0)
                .await
                .map_err(|source| ClientError::TokenFile { path: self.0.clone(), source: Arc::new(source) })?;
            Ok(Token {
                value: SecretString::from(text.trim().to_owned()),
                // The file is read again each minute.
                expires: Some(now + SKEW + Duration::from_mins(1)),
            })
        })
    }
}

/// The current token of one connection, shared by all its requests.
#[derive(Clone)]
pub(super) struct Tokens {
    source: Arc<dyn MintToken>,
    clock: Arc<dyn Clock>,
    current: Arc<Mutex<Option<Token>>>,
}

impl Tokens {
    /// Tokens from `source`; `first` is a token that exists already.
    pub(super) fn new(source: Arc<dyn MintToken>, first: Option<Token>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, current: Arc::new(Mutex::new(first)) }
    }

    /// A token that is valid for at least another minute.
    pub(super) async fn token(&self) -> Result<SecretString, ClientError> {
        self.unless(None).await
    }

    /// A token other than `rejected`. Of concurrent rejections, only the first renews it.
    pub(super) async fn other_than(&self, rejected: &SecretString) -> Result<SecretString, ClientError> {
        self.unless(Some(rejected)).await
    }

    async fn unless(&self, rejected: Option<&SecretString>) -> Result<SecretString, ClientError> {
        // The lock is held while a token is created, so that concurrent requests share it.
        let mut current = self.current.lock().await;
        let now = self.clock.now();
        let rejected = rejected.map(ExposeSecret::expose_secret);
        if let Some(token) = current.as_ref()
            && token.expires.is_none_or(|end| now + SKEW < end)
            && rejected != Some(token.value.expose_secret())
        {
            return Ok(token.value.clone());
        }
        let token = self.source.mint(now).await?;
        let value = token.value.clone();
        *current = Some(token);
        Ok(value)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::testing::ManualClock;

    /// Creates `token-1`, `token-2` and so on, each valid for 14 minutes.
    #[derive(Default)]
    pub(in crate::kubernetes) struct Counter(AtomicUsize);

    impl MintToken for Counter {
        fn mint(&self, now: SystemTime) -> BoxFuture<'_, Result<Token, ClientError>> {
            let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            let token = Token { value: format!("token-{number}").into(), expires: Some(now + Duration::from_mins(14)) };
            Box::pin(std::future::ready(Ok(token)))
        }
    }

    #[tokio::test]
    async fn token_is_renewed_before_expiry_and_after_rejection() {
        let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
        let tokens = Tokens::new(Arc::new(Counter::default()), None, clock.clone());
        let shown = |token: SecretString| token.expose_secret().to_owned();

        assert_eq!(shown(tokens.token().await.unwrap()), "token-1");
        clock.advance(Duration::from_secs(12 * 60 + 59));
        assert_eq!(shown(tokens.token().await.unwrap()), "token-1");
        clock.advance(Duration::from_secs(1));
        assert_eq!(shown(tokens.token().await.unwrap()), "token-2");

        let rejected = SecretString::from("token-2");
        assert_eq!(shown(tokens.other_than(&rejected).await.unwrap()), "token-3");
        // A second request that was rejected with the same token gets the new one.
        assert_eq!(shown(tokens.other_than(&rejected).await.unwrap()), "token-3");
    }
}
