//! Migrates `helm_release` of the chart gitlab-runner.

use serde_json::{Map, Value as Json};

use super::super::project::Project;
use super::super::release::{self, File, Input, Parsed};
use super::super::report::Topic;
use super::instance::{Instance, Instances};
use super::{StateError, place};
use crate::resources::runner_release::values;

const CHART: &str = "gitlab-runner";

/// Keys of runner tokens. Their sensitive values are read to determine the kind of the token, and are not written.
const TOKENS: [&str; 2] = ["runnerToken", "runnerRegistrationToken"];

/// Parses the releases of the chart.
pub(super) fn parse<'a>(
    instances: &'a Instances,
    project: &mut Project,
) -> Result<Vec<(&'a Instance, Parsed)>, StateError> {
    let mut parsed = Vec::new();
    for instance in instances.of("helm_release").filter(|instance| is_of_chart(instance)) {
        if instance.is_sensitive("values") {
            let text = "`values` is marked as sensitive, so that it is not read. Give the values file with --values, and delete the \
                        block yourself.";
            project.report.add(Topic::NoCounterpart, place(instance), text);
            continue;
        }
        // Helm merges `values` in their order, and `set` takes precedence over them.
        let files = files(instance, project);
        let has_image =
            files.iter().filter_map(|file| values::parse(&file.text)).any(|values| values.contains_key("image"));
        let input = Input {
            files,
            name: instance.text("name").unwrap_or_else(|| release::NAME.to_owned()),
            // `default` is the default of helm_release.
            namespace: instance.text("namespace").unwrap_or_else(|| "default".to_owned()),
            // An image in the values takes precedence over that of the chart, and determines the version.
            runner_version: version(instance).filter(|_| !has_image),
        };
        let release =
            release::parse(input).map_err(|source| StateError::Values { address: instance.address.clone(), source })?;
        parsed.push((instance, release));
    }
    Ok(parsed)
}

fn is_of_chart(instance: &Instance) -> bool {
    let chart = instance.text("chart").unwrap_or_default();
    let name = chart.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    name == CHART || name.starts_with("gitlab-runner-") && chart.ends_with(".tgz")
}

/// The version of GitLab Runner in the chart. `metadata` is a list in version 2 of hashicorp/helm, and an object in
/// version 3.
fn version(instance: &Instance) -> Option<String> {
    let found = instance.text("metadata.0.app_version").or_else(|| instance.text("metadata.app_version"))?;
    let version = found.trim_start_matches('v').to_owned();
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

/// The values files of a release: `values`, and one with the values of `set`, which takes precedence.
fn files(instance: &Instance, project: &mut Project) -> Vec<File> {
    let file = |(index, text)| File { name: format!("{} values[{index}]", instance.address), text };
    let mut files: Vec<File> = instance.texts("values").into_iter().enumerate().map(file).collect();
    let mut overlay = Map::new();
    for list in ["set", "set_list", "set_sensitive"] {
        for set in instance.list(list) {
            let Some(name) = set["name"].as_str() else { continue };
            let is_secret = list == "set_sensitive" && !TOKENS.contains(&name);
            if is_secret {
                let text = format!(
                    "the value of set_sensitive {name:?} is left out. Set the attribute, or the key of `config`, yourself."
                );
                project.report.add(Topic::Secret, place(instance), text);
                continue;
            }
            put(&mut overlay, name, typed(&set["value"], set["type"].as_str()));
        }
    }
    if !overlay.is_empty() {
        let text = Json::Object(overlay).to_string();
        files.push(File { name: format!("{} set", instance.address), text });
    }
    if files.is_empty() {
        files.push(File { name: format!("{} values", instance.address), text: "{}".to_owned() });
    }
    files
}

/// Converts a value of `set` to its type, as Helm does.
fn typed(value: &Json, kind: Option<&str>) -> Json {
    let Some(text) = value.as_str().filter(|_| kind != Some("string")) else { return value.clone() };
    match text {
        "true" => true.into(),
        "false" => false.into(),
        "null" => Json::Null,
        text => match text.parse::<i64>() {
            // As in Helm, a number with leading zeros stays a string.
            Ok(number) if number.to_string() == text => number.into(),
            _ => text.into(),
        },
    }
}

/// Sets the value at a path of `set`, such as `a.b\.c`.
fn put(values: &mut Map<String, Json>, path: &str, value: Json) {
    let mut parts = parts(path);
    let Some(first) = parts.pop() else { return };
    let first = match parts.pop() {
        None => {
            values.insert(first, value);
            return;
        }
        Some(second) => {
            parts.push(second);
            first
        }
    };
    let mut below = values;
    for part in parts {
        let entry = below.entry(part).or_insert_with(|| Json::Object(Map::new()));
        if !entry.is_object() {
            *entry = Json::Object(Map::new());
        }
        let Some(next) = entry.as_object_mut() else { return };
        below = next;
    }
    below.insert(first, value);
}

/// Splits a path at its dots. A backslash escapes a dot.
fn parts(path: &str) -> Vec<String> {
    let (mut parts, mut part, mut letters) = (Vec::new(), String::new(), path.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => part.extend(letters.next()),
            '.' => parts.push(std::mem::take(&mut part)),
            letter => part.push(letter),
        }
    }
    parts.push(part);
    parts
}
