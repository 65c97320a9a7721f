//! Credentials from the `credential_process` of a profile.
//!
//! The SDK also runs such commands, but without a timeout, and does not end a command whose caller was cancelled.

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::Result as Provided;
use aws_credential_types::provider::error::CredentialsError;
use serde_json::{Map, Value};

use crate::command;

/// A command line for the shell. It may contain secrets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Process(pub(super) String);

impl fmt::Debug for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Process")
    }
}

/// Why a command returned no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credential_process returned no credentials: {reason}")]
pub(super) struct ProcessFailed {
    reason: String,
}

impl Process {
    /// Runs the command and parses its output.
    ///
    /// # Errors
    /// [`ProcessFailed`] with the command's standard error, never its standard output.
    pub(super) async fn run(&self) -> Provided {
        self.credentials().await.map_err(CredentialsError::provider_error)
    }

    async fn credentials(&self) -> Result<Credentials, ProcessFailed> {
        let failed = |reason: String| ProcessFailed { reason };
        // As in the SDK, the setting is a command line and not the path of a program.
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", &self.0]);
        let output = command::output(command).await.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{}: {}", output.status, message.trim())));
        }
        let answer: Map<String, Value> = serde_json::from_slice(&output.stdout)
            // Without serde's message, which quotes the input.
            .map_err(|error| failed(format!("its output is not a JSON object (line {})", error.line())))?;
        // The SDK ignores the case of these keys.
        let find = |name: &str| answer.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let text = |name: &str| find(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let missing = |name: &str| failed(format!("its output does not contain {name}"));
        if find("Version").and_then(Value::as_i64) != Some(1) {
            return Err(failed("the Version of its output is not 1".to_owned()));
        }
        let expires = text("Expiration").map(str::parse::<jiff::Timestamp>).transpose();
        let expires = expires.map_err(|_| failed("the Expiration of its output is not a valid time".to_owned()))?;
        Ok(Credentials::new(
            text("AccessKeyId").ok_or_else(|| missing("AccessKeyId"))?,
            text("SecretAccessKey").ok_or_else(|| missing("SecretAccessKey"))?,
            text("SessionToken").map(str::to_owned),
            expires.map(SystemTime::from),
            "credential_process",
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn printed(text: &str) -> Result<Credentials, String> {
        let run = Process(format!("echo '{text}'")).credentials().await;
        run.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn output_of_a_credential_process_is_read() {
        let long = r#"{"version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "1970-01-01T01:00:00+00:00"}"#;
        let hour = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        let session = Credentials::new("A", "s", Some("t".to_owned()), Some(hour), "credential_process");
        assert_eq!(printed(long).await, Ok(session));
        let short = r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s"}"#;
        assert_eq!(printed(short).await, Ok(Credentials::new("A", "s", None, None, "credential_process")));
    }

    #[tokio::test]
    async fn errors_never_contain_standard_output() {
        let mut found = Vec::new();
        for text in [
            "hunter2",
            r#"{"Version": 2}"#,
            r#"{"Version": 1, "SecretAccessKey": "hunter2"}"#,
            r#"{"Version": 1, "AccessKeyId": "A", "Expiration": "hunter2"}"#,
        ] {
            found.push(printed(text).await.unwrap_err());
        }
        let ended = Process("echo hunter2; echo no session >&2; exit 3".to_owned()).credentials().await;
        found.push(ended.unwrap_err().to_string());
        let reasons = [
            "its output is not a JSON object (line 1)",
            "the Version of its output is not 1",
            "its output does not contain AccessKeyId",
            "the Expiration of its output is not a valid time",
            "exit status: 3: no session",
        ];
        assert_eq!(found, reasons.map(|reason| format!("the credential_process returned no credentials: {reason}")));
    }
}
