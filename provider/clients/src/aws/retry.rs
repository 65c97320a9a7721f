//! Retries of AWS calls: which failures, and how often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::retry::{RetryConfig, RetryMode, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

use super::renewal::Renewal;
use crate::environment::Environment;
use crate::error::ClientError;

/// Default of `max_retries`.
///
/// The SDK's default is 2 retries within about three seconds, which is too short for an account that other tools
/// throttle. hashicorp/aws uses 25 retries within up to an hour, in which a wrong region or an unreachable proxy looks
/// like a hang. Ten retries take about a minute.
pub const DEFAULT_MAX_RETRIES: u32 = 10;

/// Maximum backoff as a multiple of the initial backoff, which is one second unless a test changes it.
pub(super) const LONGEST_PAUSE: u32 = 20;
const MAX_BACKOFF: Duration = Duration::from_secs(LONGEST_PAUSE as u64);

/// Error codes of throttling (the SDK's list, which all AWS SDKs share).
///
/// It does not contain `LimitExceeded`, which IAM returns if a user already has two access keys.
pub(super) const THROTTLING: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Error codes of a temporary failure of a service.
pub(super) const TRANSIENT: [&str; 8] = [
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
    "RequestTimeoutException",
    "ResourceContention",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// The message of S3's `OperationAborted` if a retry can succeed.
pub(super) const OPERATION_ABORTED: &str = "A conflicting conditional operation is currently in progress";

/// The retry settings of the clients.
///
/// `loaded` contains the values of the environment and the profile. [`RetryConfig`] does not distinguish a configured
/// value of 3 attempts from the default, so that 3 counts as the default unless `AWS_MAX_ATTEMPTS` is set.
///
/// # Errors
/// [`ClientError::InvalidSetting`] for an unknown `retry_mode`.
pub(super) fn config(
    max_retries: Option<u32>,
    retry_mode: Option<&str>,
    loaded: Option<&RetryConfig>,
    environment: &Environment,
) -> Result<RetryConfig, ClientError> {
    let loaded = loaded.cloned().unwrap_or_else(RetryConfig::standard);
    let mode = match retry_mode {
        None => loaded.mode(),
        Some("standard") => RetryMode::Standard,
        Some("adaptive") => RetryMode::Adaptive,
        Some(other) => {
            return Err(ClientError::InvalidSetting {
                setting: "retry_mode",
                reason: format!("\"{other}\" is not a retry mode. Use \"standard\" or \"adaptive\""),
            });
        }
    };
    let default_attempts = RetryConfig::standard().max_attempts();
    let attempts = match max_retries {
        // The SDK counts the first call as an attempt.
        Some(retries) => retries.saturating_add(1),
        None if loaded.max_attempts() != default_attempts || environment.get("AWS_MAX_ATTEMPTS").is_some() => {
            loaded.max_attempts()
        }
        None => DEFAULT_MAX_RETRIES + 1,
    };
    Ok(RetryConfig::standard().with_retry_mode(mode).with_max_attempts(attempts).with_max_backoff(MAX_BACKOFF))
}

/// The retry budgets of the services. The clients of all operations share them, and with them the rate limit of the
/// mode "adaptive".
#[derive(Debug, Clone, Default)]
pub(super) struct Partitions(Arc<Mutex<BTreeMap<&'static str, RetryPartition>>>);

impl Partitions {
    pub(super) fn of(&self, service: &'static str) -> RetryPartition {
        let mut partitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        partitions.entry(service).or_insert_with(|| partition(service)).clone()
    }
}

/// The retry budget of one service.
///
/// The SDK's token bucket is empty after about a hundred concurrent retries; throttling errors are then final. With a
/// thousand resources in one run, this would fail operations that only need to wait.
fn partition(service: &'static str) -> RetryPartition {
    RetryPartition::custom(format!("gitlabspot-{service}"))
        .token_bucket(TokenBucket::builder().capacity(10_000).build())
        .build()
}

/// Retries responses that the SDK treats as final although AWS asks for a retry.
#[derive(Debug)]
pub(super) struct TryAgain;

impl ClassifyRetry for TryAgain {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else {
            return RetryAction::NoActionIndicated;
        };
        if Renewal::happened(response) {
            return RetryAction::transient_error();
        }
        let body = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        // A proxy or load balancer throttles with this status and without an error code.
        if response.status().as_u16() == 429 {
            return RetryAction::throttling_error();
        }
        if asks_again(response.status().as_u16(), &body) {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "gitlabspot: AWS asks to try again"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Evaluates the text of the response: a classifier applies to all operations, so that the error type is unknown.
fn asks_again(status: u16, body: &str) -> bool {
    status >= 400
        && ((names_code(body, "OperationAborted") && body.contains(OPERATION_ABORTED))
            || names_code(body, "ResourceContention")
            || names_code(body, "ResourceContentionFault"))
}

/// Whether a response, in XML or JSON, contains this error code.
pub(super) fn names_code(body: &str, code: &str) -> bool {
    // The error format is XML for S3, IAM and EC2, and JSON for EKS, where a namespace and a `#` can precede the code.
    [format!("<Code>{code}</Code>"), format!("\"{code}\""), format!("#{code}\"")]
        .iter()
        .any(|form| body.contains(form.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::{AwsSettings, eks, load};
    use super::*;
    use crate::UserAgent;
    use crate::scripted::{Answer, Script};
    use crate::stop::Stop;

    fn attempts(max_retries: Option<u32>, loaded: Option<RetryConfig>, environment: &Environment) -> u32 {
        config(max_retries, None, loaded.as_ref(), environment).unwrap().max_attempts()
    }

    #[test]
    fn max_retries_precedence_is_argument_environment_default() {
        let nothing = Environment::fixed([]);
        assert_eq!(attempts(None, None, &nothing), 11);
        assert_eq!(attempts(Some(4), None, &nothing), 5);
        assert_eq!(attempts(Some(0), None, &nothing), 1);
        let loaded = RetryConfig::standard().with_max_attempts(6);
        assert_eq!(attempts(None, Some(loaded), &nothing), 6);
        let three = Environment::fixed([("AWS_MAX_ATTEMPTS", "3")]);
        assert_eq!(attempts(None, Some(RetryConfig::standard()), &three), 3);
    }

    #[tokio::test]
    async fn operations_share_a_retry_budget() {
        let busy = || Answer::Http(503, String::new());
        let script = Script::new([busy(), busy()]);
        let settings = AwsSettings { max_retries: Some(1), ..script.settings() };
        let connection = load(&settings, &UserAgent::default(), &Environment::fixed([])).await.unwrap();
        let budget = || format!("{:?}", connection.partitions.of("eks"));
        let full = budget();
        let eks = eks(&connection.until(&Stop::default()), &settings.endpoints);
        assert!(eks.list_clusters().send().await.is_err());
        assert_ne!(budget(), full);
    }

    #[test]
    fn retry_modes_are_read() {
        let mode = |name| config(None, Some(name), None, &Environment::fixed([])).map(|config| config.mode());
        assert_eq!(mode("standard").unwrap(), RetryMode::Standard);
        assert_eq!(mode("adaptive").unwrap(), RetryMode::Adaptive);
        assert_eq!(
            mode("legacy").unwrap_err().to_string(),
            "the provider setting \"retry_mode\" cannot be used: \"legacy\" is not a retry mode. Use \"standard\" \
             or \"adaptive\""
        );
    }

    #[test]
    fn aborted_and_contended_operations_are_retried() {
        let s3 = "<Error><Code>OperationAborted</Code><Message>A conflicting conditional operation is currently in \
                  progress against this resource. Please try again.</Message></Error>";
        let s3_other = "<Error><Code>OperationAborted</Code><Message>Something else</Message></Error>";
        let autoscaling =
            "<ErrorResponse><Error><Type>Sender</Type><Code>ResourceContention</Code></Error></ErrorResponse>";
        let iam = "<ErrorResponse><Error><Code>LimitExceeded</Code><Message>Cannot exceed quota for AccessKeysPerUser: 2\
                   </Message></Error></ErrorResponse>";
        assert_eq!(
            [(409, s3), (409, s3_other), (500, autoscaling), (400, autoscaling), (409, iam), (200, autoscaling)]
                .map(|(status, body)| asks_again(status, body)),
            [true, false, true, true, false, false]
        );
    }

    #[test]
    fn iam_quota_is_not_throttling() {
        assert!(THROTTLING.contains(&"LimitExceededException") && !THROTTLING.contains(&"LimitExceeded"));
    }
}
