//! Values of an umbrella chart, which contain those of this chart below its name or an alias.

use serde_json::{Map, Value};

use super::keys::KEYS;
use crate::yaml::Document;

/// Keys that only this chart has: a map with one of them is for this chart.
const TELLING: [&str; 5] = ["gitlabUrl", "runnerToken", "runnerRegistrationToken", "runners", "unregisterRunners"];

/// The chart's name, which is the key of its values in an umbrella chart without an alias.
const NAME: &str = "gitlab-runner";

/// Returns the document with the values of the chart at the top.
///
/// # Errors
///
/// The names of the maps, if several are for this chart.
pub(super) fn unwrapped(document: Document) -> Result<Document, Vec<String>> {
    if is_of_chart(&document.values) {
        return Ok(document);
    }
    let mut aliases = aliases(&document.values);
    if aliases.len() > 1 {
        return Err(aliases);
    }
    let Some(name) = aliases.pop() else { return Ok(document) };
    let Document { mut values, lines, has_more } = document;
    Ok(match values.remove(&name) {
        Some(Value::Object(below)) => Document { values: below, lines: lines.below(&name), has_more },
        _ => Document { values, lines, has_more },
    })
}

/// Returns the message about values of several runners.
pub(super) fn message(aliases: &[String]) -> String {
    let (first, names) = match aliases {
        [others @ .., last] => (others.first().unwrap_or(last), format!("{} and {last}", others.join(", "))),
        [] => return String::new(),
    };
    format!(
        "the file contains the values of several runners: {names}. A release has the values of one. In HCL, use a \
         gitlabspot_runner_release for each, with values = [yamlencode(yamldecode(file(\"values.yaml\"))[{first:?}])]. For \
         a migration, write the values below each key to a file of its own."
    )
}

fn is_of_chart(values: &Map<String, Value>) -> bool {
    TELLING.iter().any(|key| values.contains_key(*key))
}

/// Returns the keys of the maps that are for this chart.
fn aliases(values: &Map<String, Value>) -> Vec<String> {
    let is_for_chart = |name: &str, value: &Value| {
        let is_key = KEYS.iter().any(|key| key.path.split('.').next() == Some(name));
        !is_key && value.as_object().is_some_and(|map| name == NAME || is_of_chart(map))
    };
    let mut names: Vec<String> =
        values.iter().filter(|(name, value)| is_for_chart(name, value)).map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn keys(text: &str) -> Vec<String> {
        let document = unwrapped(yaml::read(text).unwrap()).unwrap();
        document.values.keys().cloned().collect()
    }

    #[test]
    fn values_below_a_name_are_found() {
        assert_eq!(keys("gitlab-runner: {concurrent: 4}"), ["concurrent"]);
        assert_eq!(keys("ingress-nginx: {enabled: false}\nbuild: {gitlabUrl: x, rbac: {}}"), ["gitlabUrl", "rbac"]);
        let document = unwrapped(yaml::read("a: 1\ngitlab-runner:\n  gitlabUrl: x\n").unwrap()).unwrap();
        assert_eq!(document.lines.of("gitlabUrl"), Some(3));
    }

    #[test]
    fn chart_values_file_is_unchanged() {
        assert_eq!(keys("gitlabUrl: x\ngitlab-runner: {concurrent: 4}").len(), 2);
        assert_eq!(keys("concurrent: 4"), ["concurrent"]);
        let several = unwrapped(yaml::read("two: {gitlabUrl: x}\none: {gitlabUrl: y}").unwrap());
        assert_eq!(several.unwrap_err(), ["one", "two"]);
        assert_eq!(keys("metrics: {runners: 1}"), ["metrics"]);
    }
}
