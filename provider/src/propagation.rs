//! Eventual consistency of AWS: until a change has propagated, calls can be rejected, and reads can return old values.

use std::time::Duration;

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::{Wait, WaitError};

/// How long the propagation of a change may take: the same time as in hashicorp/aws.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(120);

/// Whether a policy was rejected because of a user or role that may not have propagated in IAM yet. A service principal
/// is never new: if IAM does not find it, its name is wrong.
pub(crate) fn principal_may_be_new(error: &AwsError) -> bool {
    error.matches("MalformedPolicyDocument", "Invalid principal in policy") && !error.message().contains("\"SERVICE\"")
}

/// Repeats a call while it fails with an error for which `passes` returns `true`.
///
/// # Errors
/// The error of the last call, if it is a different one or after the timeout; or the stop that the user requested.
pub(crate) async fn accepted<D, T, F>(
    context: &Context<D>,
    timeout: Duration,
    passes: impl Fn(&AwsError) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, WaitError<AwsError>>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let mut waiting = Wait::new(context, timeout).every(Duration::from_secs(1), Duration::from_secs(5)).begin();
    loop {
        // The future of a call is large, and without the box so would be every future that awaits it.
        let error = match Box::pin(call()).await {
            Ok(value) => return Ok(value),
            Err(error) if passes(&error) => error,
            Err(error) => return Err(error.into()),
        };
        match waiting.next(error.to_string()).await {
            // The error of AWS has the cause, which a timeout does not.
            Err(WaitError::TimedOut { .. }) => return Err(error.into()),
            waited => waited?,
        }
    }
}

/// How often in a row a read has to return the written value, and how it is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    /// Number of consecutive reads with the new value.
    pub(crate) looks: u32,
    /// Pause before the first read. AWS can return the new value at first and the old one again later.
    pub(crate) delay: Duration,
    /// Pause between reads.
    pub(crate) interval: Duration,
    /// Timeout of all reads together.
    pub(crate) timeout: Duration,
}

/// Repeats `shows` until it has returned `true` as often in a row as `steady` requires.
///
/// # Errors
/// The timeout, the stop that the user requested, or the error of a read.
pub(crate) async fn settled<D, F>(
    context: &Context<D>,
    steady: Steady,
    mut shows: impl FnMut() -> F,
) -> Result<(), WaitError<AwsError>>
where
    F: Future<Output = Result<bool, AwsError>>,
{
    let first = if steady.delay.is_zero() { steady.interval } else { steady.delay };
    let mut waiting = Wait::new(context, steady.timeout).watching().every(first, steady.interval).begin();
    if !steady.delay.is_zero() {
        waiting.next("the change was sent".to_owned()).await?;
    }
    let mut seen = 0;
    loop {
        // S3 serves reads from several replicas: after one new value, the next read can still return the old one.
        seen = if waiting.look(Box::pin(shows())).await? { seen + 1 } else { 0 };
        waiting
            .next(match seen {
                count if count >= steady.looks => return Ok(()),
                0 => "the service still returns the old value".to_owned(),
                count => format!("the service returned the new value {count} times in a row"),
            })
            .await?;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use tfplugin::framework::clock::testing::TestClock;
    use tfplugin::framework::provider::Host;

    fn context(clock: &Arc<TestClock>) -> Context<()> {
        Context::new(None, CancellationToken::new(), clock.clone(), Host::default())
    }

    #[tokio::test]
    async fn flapping_value_is_waited_for() {
        let clock = Arc::new(TestClock::new());
        let steady = Steady {
            looks: 3,
            delay: Duration::from_secs(10),
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(180),
        };
        let mut answers = [true, true, false, true, true, true].into_iter();
        let result = settled(&context(&clock), steady, || {
            let answer = answers.next();
            async move { Ok(answer.unwrap()) }
        })
        .await;
        assert_eq!(result, Ok(()));
        assert_eq!(clock.passed(), Duration::from_secs(10 + 5 * 2));
        assert_eq!(answers.next(), None);
    }
}
