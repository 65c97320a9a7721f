//! A running command of the engine, and signals to it.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::{Output, evidence};

/// Maximum number of requests after a signal, until the provider has received it. The clock of a test may run fifty
/// times faster.
const MAX_REQUESTS_AFTER_SIGNAL: usize = 20;

/// A command in a process group of its own, which it shares with its provider, as in a terminal.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: u32,
    name: String,
    evidence: (PathBuf, String),
}

impl Running {
    pub(crate) fn begin(mut command: Command, name: String, evidence: (PathBuf, String)) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let group = child.id().expect("a process that was just started has an id");
        Self { child, group, name, evidence }
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for the end.
    ///
    /// # Panics
    ///
    /// If the command has ended already.
    pub async fn interrupt(self) -> Output {
        self.signal("INT").await
    }

    /// Sends SIGINT to a command that must end soon: it may send only a few more requests. `requests` returns the
    /// number of requests that the provider has sent.
    ///
    /// # Panics
    ///
    /// If the command has ended already, or sends more requests.
    pub async fn interrupt_soon(self, requests: impl Fn() -> usize) -> Output {
        let before = requests();
        let output = self.interrupt().await;
        assert_few_requests(requests() - before, &output);
        output
    }

    /// Sends SIGTERM to engine and provider, as a service manager or a cancelled job does, and waits for the end.
    ///
    /// # Panics
    ///
    /// If the command has ended already.
    pub async fn terminate(self) -> Output {
        self.signal("TERM").await
    }

    /// Sends SIGTERM to a command that must end soon, like [`Self::interrupt_soon`].
    ///
    /// # Panics
    ///
    /// If the command has ended already, or sends more requests.
    pub async fn terminate_soon(self, requests: impl Fn() -> usize) -> Output {
        let before = requests();
        let output = self.terminate().await;
        assert_few_requests(requests() - before, &output);
        output
    }

    /// Sends SIGKILL to engine and provider, as a lost machine would end them.
    ///
    /// # Panics
    ///
    /// If the command has ended already.
    pub async fn kill(self) -> Output {
        self.signal("KILL").await
    }

    async fn signal(mut self, signal: &str) -> Output {
        let ended = self.child.try_wait().expect("a child can be looked at");
        assert!(ended.is_none(), "{} ended before it got the signal {signal}: {ended:?}", self.name);
        // `kill` of the shell, because sending a signal needs unsafe code or a further crate.
        let kill = format!("kill -{signal} -{}", self.group);
        let sent = Command::new("sh").args(["-c", &kill]).status().await.expect("sh runs");
        assert!(sent.success(), "{kill}: {sent}");
        self.output().await
    }

    /// Waits for the end and returns the output.
    ///
    /// # Panics
    ///
    /// If the command exceeds the time limit.
    pub async fn output(self) -> Output {
        let Self { child, name, evidence: (root, file), .. } = self;
        let ended = tokio::time::timeout(crate::workspace::LIMIT, child.wait_with_output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{name} took longer than {:?}", crate::workspace::LIMIT));
        let ended = ended.unwrap_or_else(|error| panic!("{name}: {error}"));
        let output = Output {
            command: name,
            code: ended.status.code(),
            stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
        };
        evidence::write(&root, &file, &output.to_string());
        output
    }
}

#[track_caller]
fn assert_few_requests(requests: usize, output: &Output) {
    assert!(requests <= MAX_REQUESTS_AFTER_SIGNAL, "went on with {requests} requests: {output}");
}
