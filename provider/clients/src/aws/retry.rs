//! Which failures of AWS are worth another try, and how often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::retry::{RetryConfig, RetryMode, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

use super::renewal::Renewal;
use crate::environment::Environment;
use crate::error::ClientError;

/// Retries per call when nothing else is said.
///
/// The SDK's own default is 2, about three seconds of patience: too little for an account that
/// other tools throttle. hashicorp/aws uses 25, up to an hour, in which a wrong region or a dead
/// proxy looks like a hang. Ten retries wait for about a minute in all.
pub const DEFAULT_MAX_RETRIES: u32 = 10;

/// The longest pause between two tries, in pauses of the first kind: seconds.
pub(super) const LONGEST_PAUSE: u32 = 20;
const MAX_BACKOFF: Duration = Duration::from_secs(LONGEST_PAUSE as u64);

/// Error codes that mean "slow down" (the SDK's list, which all AWS SDKs share).
///
/// `LimitExceeded`, which IAM says when a user has two keys already, is not one of them.
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

/// Error codes of a service that is in trouble for the moment.
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

/// The text that comes with S3's `OperationAborted` when simply asking again is right.
pub(super) const OPERATION_ABORTED: &str = "A conflicting conditional operation is currently in progress";

/// The retry settings of the clients.
///
/// `loaded` is what environment and profile say, where [`RetryConfig`] cannot tell "3 attempts"
/// from "nothing said"; nothing said is assumed unless `AWS_MAX_ATTEMPTS` is set.
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
    let unsaid = RetryConfig::standard().max_attempts();
    let attempts = match max_retries {
        Some(retries) => retries.saturating_add(1),
        None if loaded.max_attempts() != unsaid || environment.get("AWS_MAX_ATTEMPTS").is_some() => {
            loaded.max_attempts()
        }
        None => DEFAULT_MAX_RETRIES + 1,
    };
    Ok(RetryConfig::standard().with_retry_mode(mode).with_max_attempts(attempts).with_max_backoff(MAX_BACKOFF))
}

/// The retry budgets of the services, which the clients of all operations share: so does the rate that the mode
/// "adaptive" finds.
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
/// The SDK's bucket is empty after about a hundred retries in flight, and then the first throttled
/// answer is final: with a thousand resources in one run that is no safeguard but a failure.
fn partition(service: &'static str) -> RetryPartition {
    RetryPartition::custom(format!("gitlabspot-{service}"))
        .token_bucket(TokenBucket::builder().capacity(10_000).build())
        .build()
}

/// Retries what the SDK takes as final although AWS says "try again".
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
        // A proxy or load balancer in between says so without a code.
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

/// Judged by the answer's text, because a classifier serves every operation and so knows no error type.
fn asks_again(status: u16, body: &str) -> bool {
    status >= 400
        && ((names_code(body, "OperationAborted") && body.contains(OPERATION_ABORTED))
            || names_code(body, "ResourceContention")
            || names_code(body, "ResourceContentionFault"))
}

/// Whether an answer, in XML or JSON, has this error code.
pub(super) fn names_code(body: &str, code: &str) -> bool {
    // S3, IAM and EC2 answer in XML; EKS in JSON, where a namespace and a `#` can precede the code.
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
        let said = RetryConfig::standard().with_max_attempts(6);
        assert_eq!(attempts(None, Some(said), &nothing), 6);
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
