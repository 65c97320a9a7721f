//! Values files, merged as Helm merges them.

use serde_json::{Map, Value};
use tfplugin::framework::{AttributePath, Diagnostic};

use super::super::settings::overlay;
use super::umbrella::{self, unwrapped};
use crate::yaml::{self, Document, Lines};

/// The merged files, and the positions of the keys.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Merged over the defaults of the chart.
    pub(super) merged: Map<String, Value>,
    /// Merged without these defaults.
    pub(super) given: Map<String, Value>,
    pub(super) files: Files,
    /// Index of each file with documents after the first.
    pub(super) with_more: Vec<usize>,
}

/// Lines of the keys, by file.
#[derive(Debug, Default)]
pub(super) struct Files(Vec<Lines>);

/// Position of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) line: Option<usize>,
}

impl Files {
    /// Returns the position in the last file that has the key, because later files have precedence.
    pub(super) fn find(&self, path: &str) -> At {
        let numbered = self.0.iter().enumerate();
        let has = numbered.clone().rev().find(|(_, lines)| lines.has(path));
        let near = || numbered.clone().rev().find(|(_, lines)| lines.of(path).is_some());
        let found = has.or_else(near);
        At { file: found.map_or(0, |(file, _)| file), line: found.and_then(|(_, lines)| lines.of(path)) }
    }

    /// Returns the first line of a text that is written as a block.
    pub(super) fn block(&self, path: &str) -> Option<usize> {
        self.0.get(self.find(path).file)?.of_block(path)
    }
}

/// Returns the path of one file in `values`.
pub(super) fn element(file: usize) -> AttributePath {
    AttributePath::of("values").index(file)
}

/// Merges maps, the first over `defaults`. Everything else is replaced, and null removes a key.
///
/// # Errors
///
/// Files that are not YAML, not a map, or encrypted.
pub(super) fn merge(defaults: Value, texts: &[&str]) -> Result<Layers, Vec<Diagnostic>> {
    let mut layers = Layers::default();
    if let Value::Object(defaults) = defaults {
        layers.merged = defaults;
    }
    let mut findings = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let mut error = |summary, detail| findings.push(Diagnostic::error(summary, detail).at(element(index)));
        match yaml::read(text) {
            Ok(document) if is_encrypted(&document.values) => {
                error(
                    "Encrypted values file",
                    "the file is encrypted with SOPS. Decrypt it first; in HCL with the provider carlpett/sops, for \
                     example: values = [data.sops_file.values.raw]."
                        .to_owned(),
                );
                layers.files.0.push(document.lines);
            }
            Ok(document) => {
                let Document { values, lines, has_more } = unwrapped(document).unwrap_or_else(|aliases| {
                    error("Values of several runners", umbrella::message(&aliases));
                    Document::default()
                });
                if has_more {
                    layers.with_more.push(index);
                }
                overlay(&mut layers.given, values.clone());
                overlay(&mut layers.merged, values);
                layers.files.0.push(lines);
            }
            Err(wrong) => {
                error("Not a values file", wrong.detail);
                layers.files.0.push(Lines::default());
            }
        }
    }
    match findings.is_empty() {
        true => Ok(layers),
        false => Err(findings),
    }
}

/// Whether the file contains scalars that SOPS has encrypted.
fn is_encrypted(values: &Map<String, Value>) -> bool {
    fn has(value: &Value) -> bool {
        match value {
            Value::String(text) => text.starts_with("ENC[AES256_GCM,"),
            Value::Array(items) => items.iter().any(has),
            Value::Object(map) => map.values().any(has),
            _ => false,
        }
    }
    values.values().any(has)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merges_as_helm_does() {
        let layers = merge(
            json!({ "a": { "w": 0, "x": 0 }, "none": { "k": 1 } }),
            &[
                "none: {k: null}\na: {x: 1, b: 1}\nlist: [1, 2]\ngone: 1\nanchor: &a {k: v}\nuse: *a\n",
                "a: {b: 2, z: {k: null, m: 1}}\nlist: [3]\ngone: null\n",
                "",
            ],
        )
        .unwrap();
        assert_eq!(
            Value::Object(layers.merged),
            json!({ "none": {}, "a": { "w": 0, "x": 1, "b": 2, "z": { "m": 1 } }, "list": [3], "anchor": { "k": "v" }, "use": { "k": "v" } })
        );
        assert_eq!(layers.given["a"], json!({ "x": 1, "b": 2, "z": { "m": 1 } }));
        let at = |path: &str| layers.files.find(path);
        assert_eq!(
            (at("a.x"), at("a.b"), at("a.gone")),
            (At { file: 0, line: Some(2) }, At { file: 1, line: Some(1) }, At { file: 1, line: Some(1) })
        );
        assert_eq!(at("nowhere"), At { file: 0, line: None });
    }

    #[test]
    fn invalid_file_is_named_and_not_quoted() {
        let found = merge(Value::Null, &["a: 1", "runnerToken: 'glrt-secret", "- 1"]).unwrap_err();
        let paths: Vec<_> = found.iter().map(|f| f.path.clone()).collect();
        assert_eq!(paths, [element(1), element(2)]);
        assert!(found.iter().all(|f| !f.detail.contains("secret")), "{found:?}");
    }
}
