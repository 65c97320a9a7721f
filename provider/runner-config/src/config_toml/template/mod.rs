//! The Helm expressions in configuration texts: `{{ .Release.Name }}`, `{{ .Values.concurrent | default 4 }}`,
//! `{{ if .Values.rbac.create }}`.
//!
//! Helm templates are Go templates (text/template) with about a hundred functions. The expressions that are common in
//! texts of this chart are evaluated; others are reported as errors.

mod evaluate;
mod parse;

use serde_json::Value;

use self::evaluate::Evaluator;

/// The values of the expressions.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    /// `.Values`, if available.
    pub values: Option<&'a Value>,
    /// `.Chart.AppVersion`: the version of GitLab Runner, such as `19.3.0`.
    pub app_version: &'a str,
}

/// An expression that is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The line in the text, from 1.
    pub line: usize,
    /// The source, with its braces.
    pub expression: String,
}

impl Release<'_> {
    /// Replaces all expressions in the text by their values.
    ///
    /// # Errors
    ///
    /// All expressions that are not supported.
    pub fn expand(&self, text: &str) -> Result<String, Vec<Unsupported>> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let (nodes, unsupported) = parse::parse(text)?;
        let mut evaluator = Evaluator { release: self, unsupported };
        let expanded = evaluator.text(&nodes);
        evaluator.unsupported.sort_by_key(|one| one.line);
        match evaluator.unsupported.is_empty() {
            true => Ok(expanded),
            false => Err(evaluator.unsupported),
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
        "{count}. Render the text with \"helm template\" first, or write it with templatefile() or an HCL expression. For \
         two braces that are meant as they are, write {{{{ \"{{{{\" }}}}."
    )
}

#[cfg(test)]
mod tests;
