//! A plan as `show -json` prints it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Output;

/// A plan and its file.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) json: Value,
    pub(crate) file: PathBuf,
    pub(crate) empty: bool,
    pub(crate) output: Output,
}

impl Plan {
    /// Whether the plan has no changes, including outputs, according to `-detailed-exitcode`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// Actions by address of changed resources: `create`, `update` or `delete`, or two of them for a replacement.
    #[must_use]
    pub fn changes(&self) -> BTreeMap<String, Vec<String>> {
        let changes = self.json["resource_changes"].as_array().into_iter().flatten();
        changes
            .map(|change| (text(&change["address"]), strings(&change["change"]["actions"])))
            .filter(|(_, actions)| actions != &["no-op"] && actions != &["read"])
            .collect()
    }

    /// The change of one resource: `before`, `after`, `after_unknown`, `replace_paths`, `importing` etc.
    ///
    /// # Panics
    ///
    /// If the plan does not have the resource.
    #[must_use]
    pub fn change(&self, address: &str) -> &Value {
        let mut changes = self.json["resource_changes"].as_array().into_iter().flatten();
        let found = changes.find(|change| change["address"] == address);
        &found.unwrap_or_else(|| panic!("{address} is not in the plan: {}", self.output))["change"]
    }

    /// The whole output of `show -json`.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Path of the plan file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Output of the command, with warnings.
    #[must_use]
    pub fn output(&self) -> &Output {
        &self.output
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
