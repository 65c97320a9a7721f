//! The Helm expressions in configuration texts: `{{ .Release.Name }}`, `{{ .Values.concurrent | default 4 }}`,
//! `{{ if .Values.rbac.create }}`.
//!
//! Helm templates are Go templates (text/template) with about a hundred functions. The expressions that are common in
//! texts of this chart are evaluated; others are reported as errors.

mod comment;
mod evaluate;
mod named;
mod parse;

use serde_json::Value;

use self::evaluate::Evaluator;
pub use self::named::fullname;

/// The values of the expressions.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    /// `.Values`, if available.
    pub values: Option<&'a Value>,
    /// `.Chart.AppVersion`: the version of GitLab Runner, such as `19.3.0`.
    pub app_version: &'a str,
    /// `.Chart.Version`, such as `0.86.0`.
    pub chart_version: &'a str,
}

/// An expression that is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The line in the text, from 1.
    pub line: usize,
    /// The source, with its braces.
    pub expression: String,
    /// Whether it is in a comment of TOML, so that its value has no effect.
    pub is_comment: bool,
}

impl Release<'_> {
    /// Replaces all expressions in the text by their values.
    ///
    /// # Errors
    ///
    /// All expressions that are not supported.
    pub fn expand(&self, text: &str) -> Result<String, Vec<Unsupported>> {
        self.expanded(text, |_| true)
    }

    /// Replaces all expressions in a TOML text. Unsupported expressions in comments become empty.
    ///
    /// # Errors
    ///
    /// All expressions outside of comments that are not supported.
    pub fn expand_toml(&self, text: &str) -> Result<String, Vec<Unsupported>> {
        self.expanded(text, |unsupported| !unsupported.is_comment)
    }

    fn expanded(&self, text: &str, is_relevant: fn(&Unsupported) -> bool) -> Result<String, Vec<Unsupported>> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let (nodes, unsupported) = parse::parse(text)?;
        let mut evaluator = Evaluator { release: self, unsupported };
        let expanded = evaluator.text(&nodes);
        let mut unsupported = evaluator.unsupported;
        unsupported.retain(is_relevant);
        unsupported.sort_by_key(|one| one.line);
        match unsupported.is_empty() {
            true => Ok(expanded),
            false => Err(unsupported),
        }
    }
}

/// The detail of an error for unsupported expressions.
pub fn unsupported_detail(unsupported: &[Unsupported]) -> String {
    let Some(first) = unsupported.first() else { return String::new() };
    let count = match unsupported.len() {
        1 => format!("{} cannot be evaluated", first.expression),
        many => format!("{many} template expressions cannot be evaluated, the first {}", first.expression),
    };
    format!(
        "{count}. Replace it with its value, or render the text with \"helm template\" first. For two braces that are \
         meant as they are, write {{{{ \"{{{{\" }}}}."
    )
}

#[cfg(test)]
mod tests;
