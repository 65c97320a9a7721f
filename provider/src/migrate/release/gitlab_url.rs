//! Values files without the URL of GitLab, which was given by `--set` or by a parent chart.

use super::super::hcl::{Value, interpolated};
use super::super::project::{Project, Variable};
use super::super::report::Topic;
use crate::resources::runner_release::values;

/// Stands for the URL while the values are read. The top-level domain is reserved and never resolves.
const UNKNOWN: &str = "https://gitlab.invalid";

/// A values file with this URL, if the files have none, or a placeholder of a template.
pub(super) fn instead(files: &[String]) -> Option<String> {
    let given = |file: &String| values::parse(file)?.get("gitlabUrl").cloned();
    let url = files.iter().rev().find_map(given);
    let is_known = url.and_then(|url| url.as_str().map(str::to_owned)).is_some_and(|url| !is_placeholder(&url));
    (!is_known).then(|| format!("gitlabUrl: {UNKNOWN}\n"))
}

/// Whether a text is to be replaced before it is used: `${gitlab_url}`, `<url>`, `{{ url }}`, `YOUR_DOMAIN`.
fn is_placeholder(url: &str) -> bool {
    let url = url.trim();
    if url.chars().all(|letter| letter.is_ascii_uppercase() || "_-".contains(letter)) {
        return true;
    }
    let without_scheme = url.trim_start_matches("https://").trim_start_matches("http://");
    without_scheme.is_empty() || without_scheme.starts_with(['$', '<', '%', '{', '@', '_'])
}

/// Adds the variable. Returns its expression.
pub(super) fn variable(project: &mut Project) -> String {
    let about = "URL of GitLab, such as https://gitlab.example.com/.";
    let name = project.variable("gitlab_url", about, Variable::Text);
    let text = format!("set the variable {name} to the URL of GitLab: the values do not have it as `gitlabUrl`.");
    project.report.add(Topic::Task, None, text);
    format!("var.{name}")
}

/// Replaces the URL in a value by the variable.
pub(super) fn with_variable(value: Value, variable: &str) -> Value {
    match value {
        Value::Text(text) => match text.split_once(UNKNOWN) {
            Some(("", "" | "/")) => Value::expression(variable),
            Some((before, after)) => Value::Expression(interpolated(before, variable, after)),
            None => Value::Text(text),
        },
        Value::List(items) => Value::List(items.into_iter().map(|item| with_variable(item, variable)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, with_variable(value, variable))).collect())
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_url_are_found() {
        for (files, is_unknown) in [
            (vec!["{}"], true),
            (vec!["gitlabUrl: ''"], true),
            (vec!["gitlabUrl: ${gitlab_url}"], true),
            (vec!["gitlabUrl: https://${host}/"], true),
            (vec!["gitlabUrl: <url>"], true),
            (vec!["gitlabUrl: YOUR_DOMAIN"], true),
            (vec!["gitlabUrl: https://gitlab.com", "{}"], false),
            (vec!["gitlabUrl: https://gitlab.com", "gitlabUrl: <url>"], true),
            (vec!["gitlabUrl: gitlab.com"], false),
        ] {
            let files: Vec<String> = files.into_iter().map(str::to_owned).collect();
            assert_eq!(instead(&files).is_some(), is_unknown, "{files:?}");
        }
    }

    #[test]
    fn url_is_replaced_in_texts() {
        let value = Value::texts([UNKNOWN, "https://gitlab.invalid/x", "y"]);
        let expected = vec![Value::expression("var.u"), Value::Expression("\"${var.u}/x\"".to_owned()), "y".into()];
        assert_eq!(with_variable(value, "var.u"), Value::List(expected));
    }
}
