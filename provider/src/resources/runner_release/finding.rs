//! What a check found, before it becomes a Terraform diagnostic.

/// One step towards the attribute that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    Attribute(String),
    /// Key of a map.
    Key(String),
    /// Place in a list, from 0.
    Index(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// A diagnostic in the making. It never quotes a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub path: Vec<PathStep>,
    pub summary: &'static str,
    /// What is wrong, why it matters and what to do.
    pub detail: String,
}

impl Finding {
    pub fn error(path: Vec<PathStep>, summary: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, path, summary, detail: detail.into() }
    }

    pub fn warning(path: Vec<PathStep>, summary: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, path, summary, detail: detail.into() }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The path of a top-level attribute.
pub fn attribute(name: &str) -> Vec<PathStep> {
    vec![PathStep::Attribute(name.to_owned())]
}

/// The path of `a.b.c`, all of them attributes.
pub fn attributes(dotted: &str) -> Vec<PathStep> {
    dotted.split('.').map(|name| PathStep::Attribute(name.to_owned())).collect()
}
