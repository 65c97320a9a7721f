//! AWS answers before all of it knows: calls that are refused, or read old values, until the news has travelled.

use std::time::Duration;

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::{Wait, WaitError};

/// How long news may travel: the time that the AWS provider of HashiCorp allows as well.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(120);

/// Whether a policy was refused for a user or role that IAM may not know everywhere yet. A service is never new: the name
/// of one that IAM does not know is wrong.
pub(crate) fn principal_may_be_new(error: &AwsError) -> bool {
    error.says("MalformedPolicyDocument", "Invalid principal in policy") && !error.message().contains("\"SERVICE\"")
}

/// Repeats a call as long as it fails in a way that passes.
///
/// # Errors
/// The last failure as it was, when it did not pass in time or is of another kind; or that the user asked to stop.
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
        // A call's future is large, and what waits for it would be as large on the stack.
        let error = match Box::pin(call()).await {
            Ok(value) => return Ok(value),
            Err(error) if passes(&error) => error,
            Err(error) => return Err(error.into()),
        };
        match waiting.next(error.to_string()).await {
            // The error of AWS says more than a timeout.
            Err(WaitError::TimedOut { .. }) => return Err(error.into()),
            waited => waited?,
        }
    }
}

/// How often in a row a read has to show what was written, and how it is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    /// Looks in a row.
    pub(crate) looks: u32,
    /// Before the first look; AWS shows the new value at first and the old one again later.
    pub(crate) delay: Duration,
    /// Between looks.
    pub(crate) interval: Duration,
    /// Altogether.
    pub(crate) timeout: Duration,
}

/// Looks until `shows` was true so many times in a row. A false look starts the count again.
///
/// # Errors
/// Timeout, cancel, or what a look failed with.
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
        waiting.next("the change was just written".to_owned()).await?;
    }
    let mut seen = 0;
    loop {
        // S3 serves reads from several places: a single new value says nothing about the next read.
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
