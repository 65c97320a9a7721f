//! The Helm expressions that configuration texts contain: `{{ .Release.Name }}`, `{{ .Values.concurrent | default 4 }}`,
//! `{{ if .Values.rbac.create }}`.
//!
//! Helm's language is Go's text/template with some hundred functions. What texts of this chart use is evaluated here; the
//! rest is an error that names it.

mod evaluate;
mod parse;

use serde_json::Value;

use self::evaluate::Evaluator;

/// What the expressions stand for.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    /// `.Values`, where there are any.
    pub values: Option<&'a Value>,
    /// `.Chart.AppVersion`: the version of the runner, such as `19.3.0`.
    pub app_version: &'a str,
}

/// An expression that is not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// In the text, from 1.
    pub line: usize,
    /// As it is written, braces included.
    pub expression: String,
}

impl Release<'_> {
    /// Replaces every expression in the text.
    ///
    /// # Errors
    ///
    /// All expressions that are not evaluated.
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

/// One sentence about all of them.
pub fn told(unsupported: &[Unsupported]) -> String {
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
