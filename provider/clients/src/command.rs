//! Commands that print credentials, with a timeout.

use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

/// Timeout of a command. Some commands wait until the user has signed in with a browser.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Why a command produced no output.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRun {
    #[error("it cannot be run: {0}")]
    Failed(#[from] std::io::Error),
    #[error("it did not finish within {} seconds and was terminated. It cannot prompt for input: sign in before the \
        run", .0.as_secs())]
    TookTooLong(Duration),
}

/// Runs a command to its end. Dropping the future kills the process.
///
/// # Errors
/// [`NotRun`]; if the command itself fails, the output contains its status.
pub(super) async fn output(command: Command) -> Result<Output, NotRun> {
    output_within(command, TIMEOUT).await
}

async fn output_within(mut command: Command, limit: Duration) -> Result<Output, NotRun> {
    match tokio::time::timeout(limit, command.kill_on_drop(true).output()).await {
        Ok(output) => Ok(output?),
        Err(_) => Err(NotRun::TookTooLong(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn command_is_ended_at_its_timeout() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ >pid; exec sleep 600"]).current_dir(&folder);
        let error = output_within(command, Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "it did not finish within 0 seconds and was terminated. It cannot prompt for input: sign in before the run"
        );
        let process = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        let place = std::path::PathBuf::from(format!("/proc/{}", process.trim()));
        for _ in 0..100 {
            if !place.exists() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("the command still runs");
    }
}
