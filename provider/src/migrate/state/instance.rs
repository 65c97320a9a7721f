//! Reads the resource instances of a state, in the format of `state pull` or of `show -json`.

use serde_json::{Map, Value as Json};

use super::super::project::keyed;
use super::StateError;

/// An instance of a managed resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instance {
    /// Complete address.
    pub(super) address: String,
    /// Path of the module with instance keys.
    module: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// Instance key: key of `for_each`, or number of `count`.
    pub(super) key: Option<String>,
    attributes: Map<String, Json>,
    sensitive: Vec<Sensitive>,
    /// Whether its provider replaces the object with the next apply.
    pub(super) is_tainted: bool,
    /// Whether it is a former object, which its provider destroys with the next apply.
    pub(super) is_deposed: bool,
}

/// An attribute with a sensitive value, and the index if only an element of a list is sensitive.
#[derive(Clone, Debug, PartialEq)]
struct Sensitive {
    attribute: String,
    index: Option<usize>,
}

/// All resource instances of a state.
#[derive(Clone, Debug, Default)]
pub(super) struct Instances(Vec<Instance>);

impl Instance {
    /// The value at a path, separated by dots. `None` for null and for an empty string.
    pub(super) fn get(&self, path: &str) -> Option<&Json> {
        let pointer = format!("/{}", path.replace('.', "/"));
        let mut parts = pointer.splitn(3, '/').skip(1);
        let first = self.attributes.get(parts.next()?)?;
        let value = match parts.next() {
            Some(rest) => first.pointer(&format!("/{rest}"))?,
            None => first,
        };
        (!value.is_null() && value != "").then_some(value)
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.get(path)?.as_str().map(str::to_owned)
    }

    pub(super) fn integer(&self, path: &str) -> Option<i64> {
        self.get(path)?.as_i64()
    }

    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        let items = self.get(path).and_then(Json::as_array).into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// The map at a path. `None` for an empty one.
    pub(super) fn map(&self, path: &str) -> Option<Map<String, Json>> {
        self.get(path)?.as_object().filter(|map| !map.is_empty()).cloned()
    }

    pub(super) fn list(&self, path: &str) -> Vec<&Json> {
        self.get(path).and_then(Json::as_array).into_iter().flatten().collect()
    }

    /// Whether any part of the attribute is sensitive.
    pub(super) fn is_sensitive(&self, attribute: &str) -> bool {
        self.sensitive.iter().any(|of| of.attribute == attribute)
    }

    /// Whether an element of a list is sensitive.
    pub(super) fn is_sensitive_at(&self, attribute: &str, index: usize) -> bool {
        let is_at = |of: &Sensitive| of.attribute == attribute && of.index.is_none_or(|at| at == index);
        self.sensitive.iter().any(is_at)
    }

    /// The address for a `removed` block, in which instance keys are not allowed.
    pub(super) fn forgotten(&self) -> String {
        let resource = format!("{}.{}", self.kind, self.name);
        match without_keys(&self.module) {
            module if module.is_empty() => resource,
            module => format!("{module}.{resource}"),
        }
    }

    /// The desired name of the migrated resource.
    pub(super) fn label(&self) -> String {
        match &self.key {
            Some(key) => format!("{}_{key}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Instances {
    /// The current objects of a type.
    pub(super) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.0.iter().filter(move |instance| instance.kind == kind && !instance.is_deposed)
    }

    /// All objects, including deposed ones.
    pub(super) fn all(&self) -> impl Iterator<Item = &Instance> {
        self.0.iter()
    }

    /// Parses a state.
    ///
    /// # Errors
    ///
    /// The text is not a state. The error does not quote it, because a state contains secrets.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, StateError> {
        let wrong = |why: &str| StateError::NotAState { file: file.to_owned(), why: why.to_owned() };
        // Some programs on Windows write a byte order mark first.
        let state: Json = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| wrong(&format!("it is not JSON (line {})", error.line())))?;
        if state.get("encrypted_data").is_some() {
            return Err(wrong("it is encrypted. `tofu state pull` prints it decrypted"));
        }
        if state.get("planned_values").is_some() {
            return Err(wrong("it is a plan. Use `state pull`, or `show -json` without a plan"));
        }
        // `show -json` has its own format with `format_version`, and not the `version` of the state file.
        if state.get("format_version").is_some() {
            let mut found = Vec::new();
            shown(&state["values"]["root_module"], "", &mut found);
            return Ok(Self(found));
        }
        match state["version"].as_u64() {
            Some(4) => Ok(Self(state["resources"].as_array().into_iter().flatten().flat_map(pulled).collect())),
            Some(version) => Err(wrong(&format!(
                "its version is {version}, and only version 4 is read. Any apply of a current Terraform or OpenTofu upgrades it"
            ))),
            None => Err(wrong("it has neither the fields of `state pull` nor those of `show -json`")),
        }
    }
}

/// The instances of a resource of `state pull`.
fn pulled(resource: &Json) -> Vec<Instance> {
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    if text("mode") != "managed" {
        return Vec::new();
    }
    let instance = |instance: &Json| {
        let paths = instance["sensitive_attributes"].as_array().into_iter().flatten();
        // Each is a list of path steps. The first one has the name of the attribute, and the second one can have an index.
        let sensitive = paths.filter_map(|path| {
            let attribute = path.pointer("/0/value")?.as_str()?.to_owned();
            let index = path.pointer("/1/value/value").and_then(Json::as_u64);
            Some(Sensitive { attribute, index: index.and_then(|index| usize::try_from(index).ok()) })
        });
        Some(Instance {
            address: address(&text("module"), &text("type"), &text("name"), &instance["index_key"]),
            module: text("module"),
            kind: text("type"),
            name: text("name"),
            key: key(&instance["index_key"]),
            attributes: instance["attributes"].as_object()?.clone(),
            sensitive: sensitive.collect(),
            is_tainted: instance["status"] == "tainted",
            is_deposed: instance["deposed"].is_string(),
        })
    };
    resource["instances"].as_array().into_iter().flatten().filter_map(instance).collect()
}

/// Adds the instances of a module of `show -json` and of its child modules.
fn shown(module: &Json, path: &str, found: &mut Vec<Instance>) {
    for resource in module["resources"].as_array().into_iter().flatten() {
        let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        let Some(attributes) = resource["values"].as_object().filter(|_| text("mode") == "managed") else { continue };
        let sensitive = resource["sensitive_values"].as_object().into_iter().flatten();
        found.push(Instance {
            address: text("address"),
            module: path.to_owned(),
            kind: text("type"),
            name: text("name"),
            key: key(&resource["index"]),
            attributes: attributes.clone(),
            sensitive: sensitive.flat_map(|(name, value)| marked(name, value)).collect(),
            is_tainted: resource["tainted"] == true,
            is_deposed: resource["deposed_key"].is_string(),
        });
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        shown(child, child["address"].as_str().unwrap_or_default(), found);
    }
}

/// The sensitive parts of an attribute. `sensitive_values` of `show -json` has `true` in place of each sensitive value.
fn marked(attribute: &str, value: &Json) -> Vec<Sensitive> {
    fn is_marked(value: &Json) -> bool {
        match value {
            Json::Bool(is_sensitive) => *is_sensitive,
            Json::Array(items) => items.iter().any(is_marked),
            Json::Object(fields) => fields.values().any(is_marked),
            _ => false,
        }
    }
    let sensitive = |index| Sensitive { attribute: attribute.to_owned(), index };
    match value {
        Json::Array(items) => {
            let marked = items.iter().enumerate().filter(|(_, item)| is_marked(item));
            marked.map(|(index, _)| sensitive(Some(index))).collect()
        }
        value => is_marked(value).then(|| sensitive(None)).into_iter().collect(),
    }
}

fn key(index: &Json) -> Option<String> {
    match index {
        Json::String(key) => Some(key.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn address(module: &str, kind: &str, name: &str, index: &Json) -> String {
    let resource = match index {
        Json::String(key) => keyed(&format!("{kind}.{name}"), key),
        Json::Number(number) => format!("{kind}.{name}[{number}]"),
        _ => format!("{kind}.{name}"),
    };
    if module.is_empty() { resource } else { format!("{module}.{resource}") }
}

/// A module path without the instance keys of `count` and `for_each`. A quoted key can contain brackets.
fn without_keys(module: &str) -> String {
    let (mut out, mut is_quoted, mut depth) = (String::new(), false, 0);
    let mut letters = module.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if is_quoted => drop(letters.next()),
            '"' => is_quoted = !is_quoted,
            '[' if !is_quoted => depth += 1,
            ']' if !is_quoted => depth -= 1,
            letter if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_modules_are_omitted() {
        assert_eq!(without_keys("module.a[\"x.]\"].module.b[0].module.c"), "module.a.module.b.module.c");
    }
}
