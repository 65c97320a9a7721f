//! The origin of a configuration text, and the location of findings in it.

use std::collections::BTreeMap;

use tfplugin::framework::{AttributePath, Diagnostic};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::version::RunnerVersion;

/// Which keys are valid in a text, and whether an ignored key is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// `config_toml`: a complete config.toml for this provider.
    Strict,
    /// `runners.config` of a values file: a template for registration. The runner reads only its `[[runners]]`.
    Template,
    /// `runners.configOverride` of a values file: a complete config.toml.
    Override,
}

/// The attribute or key that contains the text.
#[derive(Debug, Clone)]
pub struct Place {
    pub path: AttributePath,
    pub version: RunnerVersion,
    pub rules: Rules,
    /// The line at which the text begins, if it is part of a file.
    pub first_line: Option<usize>,
}

/// A key that the runner ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub line: Option<usize>,
    /// The path in the text, such as `runners.kubernetes.output_limit`.
    pub key: String,
    pub text: String,
}

impl Place {
    /// The text of `config_toml`.
    pub fn strict(path: AttributePath, version: RunnerVersion) -> Self {
        Self { path, version, rules: Rules::Strict, first_line: None }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.rules == Rules::Strict
    }

    /// Converts a line of the text to a line of the file.
    pub(super) fn line(&self, in_text: usize) -> usize {
        self.first_line.map_or(in_text, |first| first + in_text - 1)
    }

    /// The beginning of a detail: the line, preceded by the key of the text unless the line is that of the file.
    pub(super) fn prefix(&self, in_text: Option<usize>) -> String {
        let Some(line) = in_text.map(|line| self.line(line)) else { return String::new() };
        match (self.rules, self.first_line) {
            (Rules::Template, None) => format!("runners.config, line {line}: "),
            (Rules::Override, None) => format!("runners.configOverride, line {line}: "),
            _ => format!("line {line}: "),
        }
    }

    pub(super) fn error(&self, in_text: Option<usize>, summary: &'static str, detail: &str) -> Diagnostic {
        Diagnostic::error(summary, format!("{}{detail}", self.prefix(in_text))).at(self.path.clone())
    }
}

/// The lines of the keys of a TOML text, by the path in findings.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<String, usize>);

impl Lines {
    pub(super) fn of_text(text: &str) -> Self {
        let mut lines = Self::default();
        // Syntax errors are reported where the text is read, with their own line.
        if let Ok(table) = DeTable::parse(text) {
            lines.table(text, table.get_ref(), "");
        }
        lines
    }

    /// The line of the key or of its nearest parent.
    pub(super) fn of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    fn table(&mut self, text: &str, table: &DeTable<'_>, at: &str) {
        for (name, value) in table {
            let here = format!("{at}{}", name.get_ref());
            self.0.insert(here.clone(), line(text, name.span().start));
            self.value(text, value, &here);
        }
    }

    fn value(&mut self, text: &str, value: &Spanned<DeValue<'_>>, at: &str) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(text, table, &format!("{at}.")),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.0.insert(format!("{at}[{index}]"), line(text, item.span().start));
                    self.value(text, item, &format!("{at}[{index}]"));
                    // The paths of a single runner do not contain its index.
                    if at == "runners" && index == 0 {
                        self.value(text, item, at);
                    }
                }
            }
            _ => {}
        }
    }
}

pub(super) fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1)
}
