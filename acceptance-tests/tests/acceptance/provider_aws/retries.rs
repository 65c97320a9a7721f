//! `max_retries` and `retry_mode`, according to the number of attempts that AWS received.

use gitlabspot_acceptance_tests::{Call, Fault, Stage, Workspace};
use serde_json::json;

use super::{failed_search, search, settings};

/// Attempt counters of a call that is always throttled, one for each attempt.
async fn tries(stage: &Stage, workspace: &Workspace) -> Vec<String> {
    stage.account.inject(Fault::throttle("ec2", "DescribeInstanceTypeOfferings").times(0));
    let printed = failed_search(workspace).await;
    assert!(printed.contains("RequestLimitExceeded"), "{printed}");
    let calls = stage.account.calls_of("ec2", "DescribeInstanceTypeOfferings");
    stage.account.forget();
    // From the second attempt on, the SDK also sends a deadline.
    let counts = |attempt: String| attempt[attempt.find("attempt=").unwrap_or_default()..].to_owned();
    calls.into_iter().filter_map(|call| call.attempt).map(counts).collect()
}

/// The argument overrides the environment. Without both, the default is ten.
#[tokio::test]
async fn max_retries_of_argument_environment_and_default() {
    let (stage, workspace) = settings("max_retries", json!({})).await;
    assert_eq!(tries(&stage, &workspace).await.len(), 11);
    let workspace = workspace.with_environment("AWS_MAX_ATTEMPTS", "2");
    assert_eq!(tries(&stage, &workspace).await, ["attempt=1; max=2", "attempt=2; max=2"]);
    workspace.set(&json!({ "max_retries": 2 }));
    assert_eq!(tries(&stage, &workspace).await, ["attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3"]);
    workspace.set(&json!({ "max_retries": 0 }));
    assert_eq!(tries(&stage, &workspace).await, ["attempt=1; max=1"]);
    stage.assert_nothing_remains().await;
}

/// Requests have the adaptive mode of the block or the environment in their user agent.
#[tokio::test]
async fn retry_mode_is_sent() {
    let (stage, workspace) = settings("retry_mode", json!({})).await;
    search(&workspace).await;
    assert!(modes(&stage).iter().all(|mode| mode == "E"), "{:?}", modes(&stage));
    stage.account.forget();
    search(&workspace.clone().with_environment("AWS_RETRY_MODE", "adaptive")).await;
    assert!(modes(&stage).iter().all(|mode| mode == "F"), "{:?}", modes(&stage));
    stage.account.forget();
    workspace.set(&json!({ "retry_mode": "adaptive" }));
    search(&workspace).await;
    assert!(modes(&stage).iter().all(|mode| mode == "F"), "{:?}", modes(&stage));

    workspace.set(&json!({ "retry_mode": "legacy" }));
    assert_eq!(
        failed_search(&workspace).await,
        "Invalid retry mode: \"legacy\" is not a retry mode. Use \"standard\" or \"adaptive\"."
    );
    stage.assert_nothing_remains().await;
}

/// The mode in the SDK's user agent: `E` is standard, `F` is adaptive.
fn modes(stage: &Stage) -> Vec<String> {
    let of = |call: Call| {
        let agent = call.user_agent.unwrap_or_default();
        let features = agent.split(' ').find_map(|word| word.strip_prefix("m/")).unwrap_or_default().to_owned();
        features.split(',').filter(|feature| ["E", "F"].contains(feature)).map(str::to_owned).collect::<Vec<_>>()
    };
    let calls = stage.account.calls_of("ec2", ".*").into_iter().filter(Call::is_from_provider);
    let modes: Vec<String> = calls.flat_map(of).collect();
    assert!(!modes.is_empty());
    modes
}
