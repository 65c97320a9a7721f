//! Translates the merged values, key by key, to settings and configuration.

use std::borrow::Cow;

use gitlabspot_runner_config::catalogue::{GLOBAL, Table};
use gitlabspot_runner_config::config_toml::{Config, Release, Rules, from_hcl, unsupported_detail};
use gitlabspot_runner_config::version::RunnerVersion;
use serde_json::{Map, Value};
use tfplugin::framework::{AttributePath, Diagnostic, Step};

use super::keys::{KEYS, MapsTo, ValueType, ValuesKey};
use super::layer::element;
use super::unknown;
use super::value_type::{TypeError, convert, is_blank, is_empty};
use super::{ChartValues, Context};

pub(super) struct ValuesTranslator<'a> {
    pub(super) context: Context<'a>,
    pub(super) version: RunnerVersion,
    pub(super) release: Release<'a>,
    /// In the form of `RunnerReleaseSettings`.
    pub(super) settings: Map<String, Value>,
    /// Keys that are read together, by their paths.
    pub(super) specials: Map<String, Value>,
    pub(super) translated: ChartValues,
    pub(super) findings: Vec<Diagnostic>,
    /// Global keys by their HCL names.
    global: Map<String, Value>,
    /// Texts with template expressions.
    templates: Vec<String>,
    /// Keys of older charts, with the key that replaces each.
    pub(super) older: Vec<(&'static str, &'static str, Value)>,
}

/// Translates all values. Faults are in the errors of the result.
pub(super) fn translate(
    values: &Map<String, Value>,
    translated: ChartValues,
    context: Context<'_>,
    release: Release<'_>,
) -> ChartValues {
    let mut translator = ValuesTranslator {
        context,
        version: context.version.or_else(|| super::version(values)).unwrap_or(RunnerVersion::DEFAULT),
        release,
        settings: Map::new(),
        specials: Map::new(),
        translated,
        findings: Vec::new(),
        global: Map::new(),
        templates: values.values().flat_map(templates).collect(),
        older: Vec::new(),
    };
    translator.walk(values, "");
    translator.finish()
}

impl ValuesTranslator<'_> {
    fn walk(&mut self, values: &Map<String, Value>, prefix: &str) {
        for (name, value) in values {
            let path = format!("{prefix}{name}");
            if let Some(key) = KEYS.iter().find(|key| key.path == path) {
                self.key(key, value);
                continue;
            }
            let below = format!("{path}.");
            match value {
                _ if !KEYS.iter().any(|key| key.path.starts_with(&below)) => self.unknown(name, &path, prefix, value),
                Value::Object(values) => self.walk(values, &below),
                Value::String(image) if path == "image" && !image.is_empty() => self.image(image),
                value if is_empty(value) => {}
                _ => self.error(&path, "Invalid value in a values file", &format!("{path} must be a map.")),
            }
        }
    }

    fn key(&mut self, key: &ValuesKey, value: &Value) {
        // The chart treats an empty value as a missing one; only a registry can be empty.
        if is_empty(value) && key.path != "image.registry" {
            return;
        }
        let value = match convert(value, key.ty, self.release) {
            Ok(converted) => {
                if converted.is_surprising {
                    self.note(
                        key.path,
                        "the string \"false\" is treated as false, but Helm treats every string that \
                        is not empty as true. Specify false without quotes.",
                    );
                }
                converted.value
            }
            Err(TypeError::Expected(expected)) => {
                return self.error(
                    key.path,
                    "Invalid value in a values file",
                    &format!("{} must be {expected}.", key.path),
                );
            }
            Err(TypeError::Unsupported(unsupported)) => {
                let detail = format!("{}: {}", key.path, unsupported_detail(&unsupported));
                return self.error(key.path, "Template expression not supported", &detail);
            }
        };
        match key.maps_to {
            MapsTo::Attribute(to) => put(&mut self.settings, to, value),
            MapsTo::Global(to) => put(&mut self.global, to, value),
            MapsTo::Special(_) => drop(self.specials.insert(key.path.to_owned(), value)),
            // Helm passes it to all charts.
            MapsTo::Nothing(_) if key.path == "global" => {}
            MapsTo::Nothing(_) if key.path.starts_with("rbac.podSecurityPolicy") && !self.has_pod_security_policy() => {
            }
            MapsTo::Nothing(reason) => self.note(key.path, format!("{reason}.")),
            MapsTo::Older(to) => self.older.push((key.path, to, value)),
        }
    }

    fn has_pod_security_policy(&self) -> bool {
        let enabled = self.release.values.and_then(|values| values.pointer("/rbac/podSecurityPolicy/enabled"));
        enabled == Some(&Value::Bool(true))
    }

    fn unknown(&mut self, name: &str, path: &str, prefix: &str, value: &Value) {
        // By convention, YAML anchors are defined below keys that start with `x-`.
        if is_blank(value) || name.starts_with("x-") || name == "global" {
            return;
        }
        // A template expression uses the key.
        let expression = format!(".Values.{path}");
        if self.templates.iter().any(|text| text.contains(&expression)) {
            return;
        }
        self.note(path, unknown::message(name, path, prefix));
    }

    pub(super) fn note(&mut self, path: &str, text: impl AsRef<str>) {
        self.translated.notes.add(path, text);
    }

    pub(super) fn error(&mut self, path: &str, summary: impl Into<Cow<'static, str>>, detail: &str) {
        let finding = Diagnostic::error(summary, detail);
        self.findings.push(self.translated.notes.placed(path, finding));
    }

    fn finish(mut self) -> ChartValues {
        self.tokens();
        self.image_parts();
        self.constraints();
        self.service_account();
        self.rules();
        self.registration();
        self.pod();
        self.environment();
        let global = self.table(&GLOBAL);
        self.translated.config.insert(0, Config { global, ..Config::default() });
        match self.text("runners.configOverride") {
            Some(text) => self.config("runners.configOverride", &text, Rules::Override),
            None => {
                let text = self.text("runners.config").filter(|text| !text.trim().is_empty());
                if let Some(text) = text {
                    self.config("runners.config", &text, Rules::Template);
                }
            }
        }
        self.older_keys();
        match serde_json::from_value(Value::Object(std::mem::take(&mut self.settings))) {
            Ok(settings) => self.translated.settings = settings,
            Err(error) => {
                let detail = format!("a list or a map contains an invalid element: {error}.");
                self.findings.push(Diagnostic::error("Invalid value in a values file", detail).at(element(0)));
            }
        }
        self.translated.errors.append(&mut self.findings);
        self.translated
    }

    fn table(&mut self, catalogue: &'static Table) -> toml::Table {
        let object = Value::Object(std::mem::take(&mut self.global));
        from_hcl(&object, catalogue, self.version, AttributePath::root()).unwrap_or_else(|findings| {
            for finding in findings {
                let Some(Step::Attribute(name)) = finding.path.steps().first() else { continue };
                let key = KEYS.iter().find(|key| matches!(key.maps_to, MapsTo::Global(to) if to == name));
                let path = key.map_or(name.as_str(), |key| key.path);
                self.error(path, finding.summary.clone(), &finding.detail.replacen(name.as_str(), path, 1));
            }
            toml::Table::new()
        })
    }

    pub(super) fn text(&mut self, special: &str) -> Option<String> {
        self.specials.remove(special).and_then(|value| value.as_str().map(str::to_owned))
    }

    /// Returns a value as text, also if it is a number or a boolean.
    pub(super) fn as_text(&self, value: &Value) -> String {
        convert(value, ValueType::Text, self.release)
            .ok()
            .and_then(|converted| converted.value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

fn templates(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.contains("{{") => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(templates).collect(),
        Value::Object(map) => map.values().flat_map(templates).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn put(map: &mut Map<String, Value>, dotted: &str, value: Value) {
    let (parents, name) = dotted.rsplit_once('.').unwrap_or(("", dotted));
    let parents: Vec<&str> = parents.split('.').filter(|part| !part.is_empty()).collect();
    object(map, &parents).insert(name.to_owned(), value);
}

pub(super) fn get<'a>(map: &'a Map<String, Value>, dotted: &str) -> Option<&'a Value> {
    let mut parts = dotted.split('.');
    let first = map.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// Returns the object at the end of the path, and creates missing ones.
pub(super) fn object<'a>(map: &'a mut Map<String, Value>, path: &[&str]) -> &'a mut Map<String, Value> {
    let Some((first, rest)) = path.split_first() else { return map };
    let entry = map.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    match entry {
        Value::Object(next) => object(next, rest),
        _ => unreachable!("made an object of it just now"),
    }
}
