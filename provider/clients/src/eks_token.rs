//! The token that authenticates an AWS identity in an EKS cluster: a presigned STS request, encoded as text.
//!
//! The URL is built manually. The cluster's verifier (aws-iam-authenticator) rejects query parameters that it does not
//! expect, and general signers add some.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::aws::dns_suffix;
use super::clock::Clock;
use super::error::ClientError;
use super::kubernetes::{MintToken, Token};

/// Lifetime of a token. EKS accepts it for 15 minutes from its date; as in the AWS CLI, one minute is subtracted.
const LIFETIME: Duration = Duration::from_mins(14);

/// Lifetime in the URL, in seconds. The verifier ignores it.
const EXPIRES: u32 = 60;

const PREFIX: &str = "k8s-aws-v1.";

/// Creates tokens for one cluster.
#[derive(Debug)]
pub(super) struct EksToken {
    pub(super) credentials: SharedCredentialsProvider,
    pub(super) region: String,
    /// The cluster's name, or its ID for a local cluster on Outposts.
    pub(super) cluster: String,
    pub(super) clock: Arc<dyn Clock>,
}

impl MintToken for EksToken {
    fn mint(&self, now: SystemTime) -> BoxFuture<'_, Result<Token, ClientError>> {
        Box::pin(async move {
            let credentials = self
                .credentials
                .provide_credentials()
                .await
                .map_err(|error| ClientError::EksToken { cluster: self.cluster.clone(), reason: causes(&error) })?;
            let expires = now + LIFETIME;
            Ok(Token {
                // The verifier compares the date with its own clock.
                value: presign(&credentials, &self.region, &self.cluster, self.clock.time_of_day()),
                // The token expires with the credentials that signed it.
                expires: Some(credentials.expiry().map_or(expires, |expiry| expiry.min(expires))),
            })
        })
    }
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    super::aws::chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Creates the token for `cluster` with the date `now`.
fn presign(credentials: &Credentials, region: &str, cluster: &str, now: SystemTime) -> SecretString {
    let date = timestamp(now);
    let day = &date[..8];
    let scope = format!("{day}/{region}/sts/aws4_request");
    // The regional endpoint: the verifier accepts the global one in the partition `aws` only.
    let host = format!("sts.{region}.{}", dns_suffix(region));

    // In the order of the canonical query: by the bytes of the names. These are exactly the parameters that
    // aws-iam-authenticator supports: it rejects tokens with any other.
    let mut query = format!(
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}\
         &X-Amz-Date={date}&X-Amz-Expires={EXPIRES}",
        encode(&format!("{}/{scope}", credentials.access_key_id()))
    );
    if let Some(token) = credentials.session_token() {
        query.push_str(&format!("&X-Amz-Security-Token={}", encode(token)));
    }
    query.push_str("&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id");

    let request = format!(
        "GET\n/\n{query}\nhost:{host}\nx-k8s-aws-id:{cluster}\n\nhost;x-k8s-aws-id\n{}",
        // The hash of the empty body of a GET request.
        hex::encode(Sha256::digest(b""))
    );
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(request.as_bytes())));
    let secret = format!("AWS4{}", credentials.secret_access_key());
    let key = [day, region, "sts", "aws4_request"].iter().fold(secret.into_bytes(), |key, part| hmac(&key, part));
    let signature = hex::encode(hmac(&key, &to_sign));
    let url = format!("https://{host}/?{query}&X-Amz-Signature={signature}");
    SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url)))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `20260102T030405Z`
fn timestamp(now: SystemTime) -> String {
    let now = jiff::Timestamp::try_from(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Percent encoding of SigV4: all bytes except the unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::clock::testing::ManualClock;

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn moment() -> SystemTime {
        "2026-01-02T03:04:05Z".parse::<jiff::Timestamp>().unwrap().into()
    }

    /// Host, signature and length of a token. The expected values were created with botocore from the same input.
    fn token(region: &str, cluster: &str, session: Option<&str>) -> (String, String, usize) {
        let credentials = Credentials::new(KEY, SECRET, session.map(str::to_owned), None, "test");
        let token = presign(&credentials, region, cluster, moment());
        let token = token.expose_secret();
        let url = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX).unwrap()).unwrap();
        let url = String::from_utf8(url).unwrap();
        let (rest, signature) = url.split_once("&X-Amz-Signature=").unwrap();
        let host = rest.strip_prefix("https://").unwrap().split('/').next().unwrap();
        (host.to_owned(), signature.to_owned(), token.len())
    }

    #[test]
    fn token_equals_that_of_botocore() {
        assert_eq!(
            [
                token("eu-west-1", "my-cluster", None),
                token("us-east-1", "my-cluster", Some("IQoJb3JpZ2luX2VjE+/=tok")),
                token("cn-north-1", "prod", None),
            ],
            [
                (
                    "sts.eu-west-1.amazonaws.com".to_owned(),
                    "b905ad0fd65933987d61dd4b4b71d11f4b26778d97dd4599529c218114b9fff2".to_owned(),
                    493
                ),
                (
                    "sts.us-east-1.amazonaws.com".to_owned(),
                    "33b9cf3cdfe3147888909b811367a7c59939e9f35d4ef0e4c0d6cc8365dbd92d".to_owned(),
                    561
                ),
                (
                    "sts.cn-north-1.amazonaws.com.cn".to_owned(),
                    "213dd73ee1a0a061ae12dbb7542d750f2f9db1ed078b21ad46e99015c7f252f0".to_owned(),
                    499
                ),
            ]
        );
    }

    #[tokio::test]
    async fn token_expires_with_its_credentials() {
        let mint = |expiry| async move {
            let credentials = Credentials::new(KEY, SECRET, None, expiry, "test");
            let source = EksToken {
                credentials: SharedCredentialsProvider::new(credentials),
                region: "eu-west-1".to_owned(),
                cluster: "prod".to_owned(),
                clock: Arc::new(ManualClock::at(moment())),
            };
            source.mint(moment()).await.unwrap().expires.unwrap()
        };
        let minutes = |minutes| moment() + Duration::from_mins(minutes);
        assert_eq!(mint(None).await, minutes(14));
        assert_eq!(mint(Some(minutes(5))).await, minutes(5));
        assert_eq!(mint(Some(minutes(60))).await, minutes(14));
    }
}
