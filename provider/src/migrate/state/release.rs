//! Migrates `helm_release` of the chart gitlab-runner.

use serde_json::{Map, Value as Json, json};

use super::super::arguments::Arguments;
use super::super::project::Project;
use super::super::release::{self, File, Input, Parsed};
use super::super::report::Topic;
use super::instance::{Instance, Instances};
use super::set::{Kind, set};
use super::{StateError, place};
use crate::resources::runner_release::values;
use crate::yaml;

const CHART: &str = "gitlab-runner";

/// Keys of runner tokens. Their sensitive values are read to determine the kind of the token, and are not written.
const TOKENS: [&str; 2] = ["runnerToken", "runnerRegistrationToken"];

/// A sensitive value of a variable. It has the form of a token, so that a variable takes its place.
const LEFT_OUT: &str = "glrt-left-out-of-set-sensitive";

/// The releases of the chart.
pub(super) fn of_chart(instances: &Instances) -> impl Iterator<Item = &Instance> {
    instances.of("helm_release").filter(|instance| is_of_chart(instance))
}

/// Parses the releases of the chart whose values are not sensitive.
pub(super) fn parse(
    instances: &Instances,
    arguments: &Arguments,
    project: &mut Project,
) -> Result<Vec<Parsed>, StateError> {
    let mut parsed = Vec::new();
    for instance in of_chart(instances).filter(|instance| !instance.is_sensitive("values")) {
        let file = |(index, text)| File { name: format!("{} values[{index}]", instance.address), text };
        let files = instance.texts("values").into_iter().enumerate().map(file).collect();
        let input = input(instance, files, arguments, project);
        parsed.push(release::parse(input).map_err(|error| StateError::Values(shortened(instance, &error)))?);
    }
    Ok(parsed)
}

/// The release with these values files, to which the values of `set` are added.
pub(super) fn input(instance: &Instance, mut files: Vec<File>, arguments: &Arguments, project: &mut Project) -> Input {
    let below = merged(&files);
    let overlay = overlay(instance, &below, project);
    let has_tag = has_tag(overlay.get("image")).or_else(|| has_tag(below.get("image"))).unwrap_or(false);
    if !overlay.is_empty() {
        files.push(File { name: name_of_set(instance), text: Json::Object(overlay).to_string() });
    }
    if files.is_empty() {
        files.push(File { name: format!("{} values", instance.address), text: "{}".to_owned() });
    }
    Input {
        files,
        name: name(instance),
        namespace: namespace(instance),
        // A tag in the values takes precedence over that of the chart, and determines the version.
        runner_version: arguments.runner_version.clone().or_else(|| version(instance).filter(|_| !has_tag)),
    }
}

pub(super) fn name(instance: &Instance) -> String {
    instance.text("name").unwrap_or_else(|| release::NAME.to_owned())
}

/// The namespace of the release. `default` is the default of helm_release.
pub(super) fn namespace(instance: &Instance) -> String {
    instance.text("namespace").unwrap_or_else(|| "default".to_owned())
}

fn name_of_set(instance: &Instance) -> String {
    format!("{} set", instance.address)
}

/// The text of an error. The values of `set` are read as a text of one line, which the user does not know.
fn shortened(instance: &Instance, error: &release::ValuesError) -> String {
    let set = format!("{}: ", name_of_set(instance));
    let line = |line: &str| match line.starts_with(&set) {
        true => line.replacen("line 1: ", "", 1),
        false => line.to_owned(),
    };
    error.to_string().lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_of_chart(instance: &Instance) -> bool {
    // The name in the chart itself, which a local directory need not have.
    let metadata = instance.text("metadata.0.chart").or_else(|| instance.text("metadata.chart"));
    if let Some(name) = metadata {
        return name == CHART;
    }
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

/// Whether an image has a tag. `None` if the values do not say. A registry or a name alone keeps the tag of the chart.
fn has_tag(image: Option<&Json>) -> Option<bool> {
    match image? {
        Json::String(image) => Some(!image.is_empty()),
        image => image.get("tag").map(|tag| !tag.is_null() && tag != ""),
    }
}

/// The values of the files. As in Helm, later files take precedence.
fn merged(files: &[File]) -> Map<String, Json> {
    fn merge(below: &mut Map<String, Json>, above: Map<String, Json>) {
        for (name, value) in above {
            match (below.get_mut(&name), value) {
                (Some(Json::Object(below)), Json::Object(above)) => merge(below, above),
                (_, value) => drop(below.insert(name, value)),
            }
        }
    }
    let mut values = Map::new();
    for file in files {
        merge(&mut values, values::parse(&file.text).unwrap_or_default());
    }
    values
}

/// The values of `set`, `set_list` and `set_sensitive`, in the order in which hashicorp/helm sets them.
fn overlay(instance: &Instance, below: &Map<String, Json>, project: &mut Project) -> Map<String, Json> {
    let mut overlay = Map::new();
    for list in ["set", "set_list", "set_sensitive"] {
        let blocks = instance.list(list).into_iter().enumerate();
        for (index, block) in blocks.filter(|(_, block)| list != "set_list" || block["value"].is_array()) {
            let Some(name) = block["name"].as_str() else { continue };
            let mut block = block.clone();
            let is_secret = list == "set_sensitive" || instance.is_sensitive_at(list, index);
            if is_secret && is_variable(name) {
                block = json!({ "value": LEFT_OUT });
            } else if is_secret && !TOKENS.contains(&name) {
                let text = format!(
                    "the value of {list} {name:?} is left out. Set the attribute, or the key of `config`, yourself."
                );
                project.report.add(Topic::Secret, place(instance), text);
                continue;
            }
            if let Err(why) = put(&mut overlay, below, name, &block) {
                let text = format!("the value of {list} {name:?} is left out: {}.", why.trim_end_matches('.'));
                project.report.add(Topic::NoCounterpart, place(instance), text);
            }
        }
    }
    outside_of_state(instance, project);
    overlay
}

/// Reports settings of the release that the state does not have.
fn outside_of_state(instance: &Instance, project: &mut Project) {
    if instance.get("set_wo_revision").is_some() {
        let text =
            "the values of `set_wo` are not in the state. Set the attributes, or the keys of `config`, yourself.";
        project.report.add(Topic::Secret, place(instance), text);
    }
    if instance.get("postrender").is_some_and(|block| *block != json!([])) {
        let text =
            "`postrender` changes the objects of the chart. Its changes are not in the state, and are not migrated.";
        project.report.add(Topic::NoCounterpart, place(instance), text);
    }
}

/// Whether a name of `set` is that of an environment variable of the manager.
fn is_variable(name: &str) -> bool {
    name.starts_with("extraEnv.") || name.starts_with("envVars[") && name.ends_with("].value")
}

fn put(overlay: &mut Map<String, Json>, below: &Map<String, Json>, name: &str, block: &Json) -> Result<(), String> {
    let text = match &block["value"] {
        Json::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            format!("{{{}}}", items.join(","))
        }
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    let kind = match block["type"].as_str() {
        Some("literal") => return literal(overlay, name, &text),
        Some("string") => Kind::Text,
        _ => Kind::Auto,
    };
    set(overlay, below, &format!("{name}={text}"), kind).map_err(|error| error.to_string())
}

/// Sets a value with the type `literal`, which is YAML. Its name is a single key.
fn literal(overlay: &mut Map<String, Json>, name: &str, text: &str) -> Result<(), String> {
    if name.contains(['.', '[']) {
        return Err("with the type `literal` its name is one key, which the chart does not have".to_owned());
    }
    let document = yaml::read(&format!("{name}: {text}")).map_err(|error| error.detail)?;
    overlay.extend(document.values);
    Ok(())
}
