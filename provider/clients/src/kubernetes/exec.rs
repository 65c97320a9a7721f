//! Credentials from a command that implements the protocol of kubectl's exec plugins.
//!
//! kube's implementation blocks the thread, passes this process's standard input to the command, and includes the
//! command's output, with the token, in errors.

use std::process::Stdio;
use std::time::SystemTime;

use futures::future::BoxFuture;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use super::settings::Exec;
use super::token::{MintToken, Token};
use crate::command::{self, NotRun};
use crate::error::ClientError;

/// The output of a command: a token, or a client certificate.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) token: Option<Token>,
    /// Certificate and key, both in PEM.
    pub(super) certificate: Option<(String, SecretString)>,
    /// The expiration time of both.
    pub(super) expires: Option<SystemTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<jiff::Timestamp>,
}

/// Runs the command. `cluster` is passed to it if its kubeconfig entry requests that.
///
/// # Errors
/// [`ClientError::Exec`] with the command's standard error, never its standard output.
pub(super) async fn run(exec: &Exec, cluster: Option<&Value>) -> Result<Credential, ClientError> {
    let failed = |reason: String| ClientError::Exec { command: exec.command.clone(), reason };
    let mut info = json!({
        "apiVersion": exec.api_version,
        "kind": "ExecCredential",
        // The host starts a provider without a terminal.
        "spec": {"interactive": false},
    });
    if let Some(cluster) = cluster {
        info["spec"]["cluster"] = cluster.clone();
    }
    let mut command = Command::new(&exec.command);
    command.args(&exec.args).envs(&exec.env).env("KUBERNETES_EXEC_INFO", info.to_string()).stdin(Stdio::null());
    let output = command::output(command).await.map_err(|error| failed(not_run(exec, &error)))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{}: {}", output.status, message.trim())));
    }
    let answer: ExecCredential = serde_json::from_slice(&output.stdout)
        // Without serde's message, which quotes the input.
        .map_err(|error| failed(format!("its output is not an ExecCredential (line {})", error.line())))?;
    // client-go also rejects another version: its fields could have a different meaning.
    if let Some(version) = answer.api_version.filter(|version| *version != exec.api_version) {
        return Err(failed(format!(
            "its output has the apiVersion {version}, but api_version is {}",
            exec.api_version
        )));
    }
    let status = answer.status.ok_or_else(|| failed("its ExecCredential has no status".to_owned()))?;
    let expires = status.expiration_timestamp.map(SystemTime::from);
    let credential = Credential {
        token: status.token.map(|token| Token { value: token.into(), expires }),
        certificate: status.client_certificate_data.zip(status.client_key_data.map(SecretString::from)),
        expires,
    };
    if credential.token.is_none() && credential.certificate.is_none() {
        return Err(failed("its ExecCredential contains neither a token nor a certificate with a key".to_owned()));
    }
    Ok(credential)
}

fn not_run(exec: &Exec, error: &NotRun) -> String {
    if !matches!(error, NotRun::Failed(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return error.to_string();
    }
    let hint = exec.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty());
    let hint = hint.map_or_else(|| "install it, or specify its path".to_owned(), str::to_owned);
    format!("it does not exist, or is not in PATH: {hint}")
}

/// Tokens from a command that is run again when the last token expires.
#[derive(Debug)]
pub(super) struct ExecToken {
    pub(super) exec: Exec,
    pub(super) cluster: Option<Value>,
}

impl MintToken for ExecToken {
    fn mint(&self, _now: SystemTime) -> BoxFuture<'_, Result<Token, ClientError>> {
        Box::pin(async move {
            let credential = run(&self.exec, self.cluster.as_ref()).await?;
            credential.token.ok_or_else(|| ClientError::Exec {
                command: self.exec.command.clone(),
                reason: "it returned a token before, but no longer does".to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn shell(script: &str) -> Exec {
        Exec {
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            env: [("GREETING".to_owned(), "hello".to_owned())].into(),
            install_hint: None,
        }
    }

    #[tokio::test]
    async fn token_with_expiration_is_read() {
        let credential = run(
            &shell(r#"echo "{\"status\":{\"token\":\"$GREETING\",\"expirationTimestamp\":\"1970-01-01T00:01:00Z\"}}""#),
            None,
        )
        .await
        .unwrap();
        let token = credential.token.unwrap();
        assert_eq!(token.value.expose_secret(), "hello");
        assert_eq!(token.expires, Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(60)));
        assert!(credential.certificate.is_none());
    }

    #[tokio::test]
    async fn command_gets_the_api_version() {
        let credential = run(&shell(
            r#"case "$KUBERNETES_EXEC_INFO" in *client.authentication.k8s.io/v1*) echo '{"status":{"token":"ok"}}';; esac"#,
        ), None)
        .await
        .unwrap();
        assert_eq!(credential.token.unwrap().value.expose_secret(), "ok");
    }

    #[tokio::test]
    async fn errors_never_contain_standard_output() {
        let mut found = Vec::new();
        let old =
            "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1alpha1\",\"status\":{\"token\":\"hunter2\"}}'";
        for script in ["echo hunter2; echo no session >&2; exit 3", "echo hunter2", "echo '{\"status\":{}}'", old] {
            found.push(run(&shell(script), None).await.unwrap_err().to_string());
        }
        let missing = Exec { command: "no-such-command".to_owned(), ..shell("") };
        found.push(run(&missing, None).await.unwrap_err().to_string());
        let hinted = Exec { install_hint: Some("brew install it\n".to_owned()), ..missing };
        found.push(run(&hinted, None).await.unwrap_err().to_string());
        assert_eq!(
            found,
            [
                "the command \"sh\" returned no credentials for the cluster: exit status: 3: no session",
                "the command \"sh\" returned no credentials for the cluster: its output is not an ExecCredential (line \
                 1)",
                "the command \"sh\" returned no credentials for the cluster: its ExecCredential contains neither a \
                 token nor a certificate with a key",
                "the command \"sh\" returned no credentials for the cluster: its output has the apiVersion client.authentication.k8s.io/v1alpha1, but api_version is client.authentication.k8s.io/v1",
                "the command \"no-such-command\" returned no credentials for the cluster: it does not exist, or is not \
                 in PATH: install it, or specify its path",
                "the command \"no-such-command\" returned no credentials for the cluster: it does not exist, or is not \
                 in PATH: brew install it",
            ]
        );
    }
}
