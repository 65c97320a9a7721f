//! Helm's way of laying values files over one another.

use serde_json::{Map, Value};

use super::super::finding::{Finding, PathStep};

/// Maps merge, the first over `defaults`; everything else is replaced, and null takes a key away.
///
/// # Errors
///
/// Files that are not YAML, or not a map.
pub(super) fn merge(defaults: Value, files: &[&str]) -> Result<Map<String, Value>, Vec<Finding>> {
    let mut merged = match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    };
    let mut findings = Vec::new();
    for (index, file) in files.iter().enumerate() {
        match parse(file) {
            Ok(values) => lay(&mut merged, values),
            Err(detail) => {
                let path = vec![PathStep::Attribute("values".to_owned()), PathStep::Index(index)];
                findings.push(Finding::error(path, "Not a values file", detail));
            }
        }
    }
    match findings.is_empty() {
        true => Ok(merged),
        false => Err(findings),
    }
}

fn parse(file: &str) -> Result<Map<String, Value>, String> {
    let value: Value = serde_yaml_ng::from_str(file).map_err(|error| {
        // The parser's own words may quote the file, and the file may hold a token.
        let place = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
        format!("The text is not valid YAML{}.", place.unwrap_or_default())
    })?;
    match value {
        Value::Object(values) => Ok(values),
        Value::Null => Ok(Map::new()),
        _ => Err("A values file is a map of keys; this is something else.".to_owned()),
    }
}

fn lay(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (_, Value::Null) => {
                below.remove(&name);
            }
            (Some(Value::Object(below)), Value::Object(above)) => lay(below, above),
            (_, Value::Object(above)) => {
                let mut fresh = Map::new();
                lay(&mut fresh, above);
                below.insert(name, Value::Object(fresh));
            }
            (_, value) => {
                below.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merges_as_helm_does() {
        let merged = merge(
            json!({ "a": { "w": 0, "x": 0 }, "none": { "n": 1 } }),
            &[
                "none: {n: null}\na: {x: 1, y: 1}\nlist: [1, 2]\ngone: 1\nanchor: &a {k: v}\nuse: *a\n",
                "a: {y: 2, z: {n: null, m: 1}}\nlist: [3]\ngone: null\n",
                "",
            ],
        );
        assert_eq!(
            Value::Object(merged.unwrap()),
            json!({ "none": {}, "a": { "w": 0, "x": 1, "y": 2, "z": { "m": 1 } }, "list": [3], "anchor": { "k": "v" }, "use": { "k": "v" } })
        );
    }

    #[test]
    fn says_which_file_is_wrong_without_quoting_it() {
        let found = merge(Value::Null, &["a: 1", "runnerToken: 'glrt-secret", "- 1"]).unwrap_err();
        let steps: Vec<_> = found.iter().filter_map(|f| f.path.last().cloned()).collect();
        assert_eq!(steps, [PathStep::Index(1), PathStep::Index(2)]);
        assert!(found.iter().all(|f| !f.detail.contains("secret")), "{found:?}");
    }
}
