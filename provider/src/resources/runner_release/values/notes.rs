//! Settings in files without an effect, or with an unexpected one: one warning per file.

use gitlabspot_runner_config::config_toml::Remark;
use tfplugin::framework::Diagnostic;

use super::layer::{At, Files, element};

/// Remarks on keys, which are reported together.
#[derive(Debug, Default)]
pub struct Notes {
    files: Files,
    notes: Vec<(At, String)>,
}

impl Notes {
    pub(super) fn new(files: Files) -> Self {
        Self { files, notes: Vec::new() }
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Adds a note about the key at this path. The text continues after the key.
    pub fn add(&mut self, path: &str, text: impl AsRef<str>) {
        self.notes.push((self.files.find(path), format!("{path}: {}", text.as_ref())));
    }

    /// Returns the diagnostic with the file and the line of the key.
    pub fn placed(&self, path: &str, finding: Diagnostic) -> Diagnostic {
        let at = self.files.find(path);
        let line = at.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        Diagnostic { path: element(at.file), detail: format!("{line}{}", finding.detail), ..finding }
    }

    /// Adds a note about a file as a whole.
    pub(super) fn of_file(&mut self, file: usize, text: &str) {
        self.notes.push((At { file, line: None }, text.to_owned()));
    }

    /// Adds a remark about a text in the file.
    pub(super) fn remark(&mut self, path: &str, remark: Remark) {
        let at = self.files.find(path);
        let text = match remark.line {
            Some(_) => format!("{}: {}", remark.key, remark.text),
            None => format!("{path}: {}: {}", remark.key, remark.text),
        };
        self.notes.push((At { file: at.file, line: remark.line.or(at.line) }, text));
    }

    /// Returns a warning for each file, in the order of the lines.
    pub fn into_findings(mut self) -> Vec<Diagnostic> {
        self.notes.sort();
        self.notes.dedup();
        let mut findings: Vec<Diagnostic> = Vec::new();
        for file in self.notes.chunk_by(|one, other| one.0.file == other.0.file) {
            let Some((at, _)) = file.first() else { continue };
            let lines = file.iter().map(|(at, text)| match at.line {
                Some(line) => format!("- line {line}, {text}"),
                None => format!("- {text}"),
            });
            let detail = format!(
                "These settings of the file have no effect, or a different one:\n{}",
                lines.collect::<Vec<_>>().join("\n")
            );
            findings.push(Diagnostic::warning("Settings of a values file have no effect", detail).at(element(at.file)));
        }
        findings
    }
}
