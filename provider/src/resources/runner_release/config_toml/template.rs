//! The few Helm expressions that configuration texts contain.

use super::super::finding::{Finding, PathStep};
use super::literal::literal;

/// What the expressions stand for.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    /// `runners.jobNamespace` of the values file, which the chart's own default text refers to.
    pub job_namespace: Option<&'a str>,
}

impl Release<'_> {
    fn value(&self, expression: &str) -> Option<&str> {
        let words: Vec<&str> = expression.split_whitespace().collect();
        match words.as_slice() {
            [".Release.Namespace"] => Some(self.namespace),
            [".Release.Name"] => Some(self.name),
            [".Values.runners.jobNamespace"] => self.job_namespace,
            ["default", ".Release.Namespace", ".Values.runners.jobNamespace"] => {
                Some(self.job_namespace.unwrap_or(self.namespace))
            }
            _ => None,
        }
    }

    /// Replaces every expression in the text.
    ///
    /// # Errors
    ///
    /// One finding for each expression that this provider does not evaluate.
    pub fn expand(&self, text: &str, path: &[PathStep]) -> Result<String, Vec<Finding>> {
        let mut out = String::with_capacity(text.len());
        let mut findings = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            if let Some((text, tail)) = literal(after) {
                out.push_str(&text);
                rest = tail;
                continue;
            }
            let Some((expression, tail)) = after.split_once("}}") else {
                findings.push(unsupported(path, after.lines().next().unwrap_or_default()));
                break;
            };
            let bare = expression.trim_start_matches('-').trim_end_matches('-').trim();
            match self.value(bare) {
                Some(value) => out.push_str(value),
                None => findings.push(unsupported(path, bare)),
            }
            rest = tail;
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn unsupported(path: &[PathStep], expression: &str) -> Finding {
    Finding::error(
        path.to_vec(),
        "Template expression not supported",
        format!(
            "{{{{{expression}}}}} is not evaluated: there is no Helm here. Only \
             {{{{.Release.Namespace}}}} and {{{{.Release.Name}}}} are replaced. Write the value \
             itself, or use an HCL expression; braces that are meant are written {{{{ \"{{{{\" }}}}."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::attribute;
    use super::*;

    const RELEASE: Release<'_> = Release { name: "r", namespace: "ns", job_namespace: None };

    #[test]
    fn replaces_name_and_namespace() {
        let text = "a = \"{{.Release.Namespace}}\" {{ .Release.Name }}{{- .Release.Name -}} ${x}";
        assert_eq!(RELEASE.expand(text, &[]), Ok("a = \"ns\" rr ${x}".to_owned()));
    }

    #[test]
    fn braces_that_are_meant_stay() {
        let text = "pre_build_script = 'docker inspect --format {{ `{{.Id}}` }} {{ \"{{\" }}x}}'";
        let expanded = "pre_build_script = 'docker inspect --format {{.Id}} {{x}}'";
        assert_eq!(RELEASE.expand(text, &[]), Ok(expanded.to_owned()));
    }

    #[test]
    fn replaces_the_charts_own_default() {
        let text = "{{ default .Release.Namespace .Values.runners.jobNamespace }}";
        assert_eq!(RELEASE.expand(text, &[]), Ok("ns".to_owned()));
        let release = Release { job_namespace: Some("jobs"), ..RELEASE };
        assert_eq!(release.expand(text, &[]), Ok("jobs".to_owned()));
    }

    #[test]
    fn names_every_other_expression() {
        let found = RELEASE.expand("{{ .Values.x }} {{ include \"y\" . }} {{ z", &attribute("config_toml"));
        let details: Vec<String> = found.unwrap_err().into_iter().map(|f| f.detail).collect();
        assert_eq!(details.len(), 3);
        assert!(details[0].starts_with("{{.Values.x}} is not evaluated"), "{details:?}");
        assert!(details[1].starts_with("{{include \"y\" .}}"), "{details:?}");
        assert!(details[2].starts_with("{{ z}}"), "{details:?}");
    }
}
