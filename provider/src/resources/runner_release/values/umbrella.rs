//! Values of an umbrella chart, in which this chart's are below its name or an alias.

use serde_json::{Map, Value};

use super::keys::KEYS;
use super::yaml::Document;

/// Keys that this chart alone has. One of them tells that a map is for it.
const TELLING: [&str; 5] = ["gitlabUrl", "runnerToken", "runnerRegistrationToken", "runners", "unregisterRunners"];

/// The chart's name, below which an umbrella chart has its values unless it gives an alias.
const NAME: &str = "gitlab-runner";

/// The document as the chart sees it.
pub(super) fn unwrapped(document: Document) -> Document {
    if is_of_chart(&document.values) {
        return document;
    }
    let Some(name) = alias(&document.values) else { return document };
    let Document { mut values, lines, has_more } = document;
    let Some(Value::Object(below)) = values.remove(&name) else { return Document { values, lines, has_more } };
    Document { values: below, lines: lines.below(&name), has_more }
}

fn is_of_chart(values: &Map<String, Value>) -> bool {
    TELLING.iter().any(|key| values.contains_key(*key))
}

/// The one key whose map is for this chart.
fn alias(values: &Map<String, Value>) -> Option<String> {
    if values.get(NAME).is_some_and(Value::is_object) {
        return Some(NAME.to_owned());
    }
    let mut found = values.iter().filter(|(name, value)| {
        let is_key = KEYS.iter().any(|key| key.path.split('.').next() == Some(name.as_str()));
        !is_key && value.as_object().is_some_and(is_of_chart)
    });
    match (found.next(), found.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let document = unwrapped(yaml::read(text).unwrap());
        document.values.keys().cloned().collect()
    }

    #[test]
    fn values_below_a_name_are_found() {
        assert_eq!(keys("gitlab-runner: {concurrent: 4}"), ["concurrent"]);
        assert_eq!(keys("ingress-nginx: {enabled: false}\nbuild: {gitlabUrl: x, rbac: {}}"), ["gitlabUrl", "rbac"]);
        let document = unwrapped(yaml::read("a: 1\ngitlab-runner:\n  gitlabUrl: x\n").unwrap());
        assert_eq!(document.lines.of("gitlabUrl"), Some(3));
    }

    #[test]
    fn a_file_of_the_chart_itself_stays_as_it_is() {
        assert_eq!(keys("gitlabUrl: x\ngitlab-runner: {concurrent: 4}").len(), 2);
        assert_eq!(keys("concurrent: 4"), ["concurrent"]);
        assert_eq!(keys("one: {gitlabUrl: x}\ntwo: {gitlabUrl: y}"), ["one", "two"]);
        assert_eq!(keys("metrics: {runners: 1}"), ["metrics"]);
    }
}
