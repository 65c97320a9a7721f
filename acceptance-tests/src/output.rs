//! The output of a command of the engine.

/// Exit code and output of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Command line, with the name of the engine in place of its path.
    pub command: String,
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Returns the output of a command that must succeed.
    ///
    /// # Panics
    ///
    /// If it failed, with its output.
    #[must_use]
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(self.code == Some(0), "{self}");
        self
    }

    /// Returns the output of a command that must fail, as [`Self::prose`].
    ///
    /// # Panics
    ///
    /// If it succeeded.
    #[must_use]
    #[track_caller]
    pub fn failed(&self) -> String {
        assert!(self.code != Some(0), "this should have failed: {self}");
        self.prose()
    }

    /// All output without the frames and line breaks of diagnostics.
    #[must_use]
    pub fn prose(&self) -> String {
        let text = format!("{}\n{}", self.stdout, self.stderr);
        let words: Vec<&str> = text.split_whitespace().filter(|word| !["│", "╷", "╵", "|"].contains(word)).collect();
        words.join(" ")
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        write!(formatter, "{} ended with {code}\n{}\n{}", self.command, self.stdout, self.stderr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_omits_the_frames_of_diagnostics() {
        let output = Output {
            command: "plan".to_owned(),
            code: Some(1),
            stdout: String::new(),
            stderr: "╷\n│ Error: Unknown zone\n│\n│   with gitlabspot_node_group.build,\n│ The cluster has\n│ no subnet.\n╵\n"
                .to_owned(),
        };
        assert_eq!(output.failed(), "Error: Unknown zone with gitlabspot_node_group.build, The cluster has no subnet.");
    }
}
