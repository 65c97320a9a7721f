//! Every key of the catalogue with a random misspelling is rejected in each source, with a suggestion of the correct
//! name.

use serde_json::{Value as Json, json};
use tfplugin::framework::AttributePath;

use super::*;
use crate::config_toml::{Place, Release, from_hcl, from_text};
use crate::misspelling::each;

const NEWEST: RunnerVersion = RunnerVersion::new(19, 4);

/// An object with `leaf` at this path of the catalogue.
fn nested(mut table: &'static Table, path: &[&str], leaf: &str) -> Json {
    let mut kinds = Vec::new();
    for name in &path[..path.len() - 1] {
        let key = table.keys().find(|key| key.toml == *name || key.hcl == *name).unwrap();
        kinds.push(key.kind);
        if let Kind::Table(of) | Kind::Tables(of) = key.kind {
            table = of;
        }
    }
    let mut object = json!({ leaf: 1 });
    for (name, kind) in path.iter().zip(kinds).rev() {
        object = if matches!(kind, Kind::Tables(_)) { json!({ *name: [object] }) } else { json!({ *name: object }) };
    }
    object
}

/// The siblings of the last part of a path.
fn siblings(table: &'static Table, path: &str, name: fn(&Key) -> &'static str) -> Vec<String> {
    let parts: Vec<&str> = path.split('.').collect();
    let mut table = table;
    for part in &parts[..parts.len() - 1] {
        let key = table.keys().find(|key| name(key) == *part).unwrap();
        if let Kind::Table(of) | Kind::Tables(of) = key.kind {
            table = of;
        }
    }
    table.keys().map(|key| name(key).to_owned()).collect()
}

#[test]
fn misspelt_keys_in_toml_are_refused_with_a_suggestion() {
    let release = Release {
        name: "gitlab-runner",
        namespace: "ci",
        values: None,
        app_version: "19.4.0",
        chart_version: "0.93.0",
    };
    let place = Place::strict(AttributePath::of("config_toml"), NEWEST);
    let details = |object: Json| {
        let text = toml::to_string(&object).unwrap();
        let read = from_text(&text, release, &place);
        read.map(|_| Vec::new()).unwrap_or_else(|found| found.into_iter().map(|found| found.detail).collect())
    };
    for (table, is_runner) in [(&GLOBAL, false), (&RUNNER, true)] {
        for entry in entries(table) {
            let parts: Vec<&str> = entry.toml_path.split('.').collect();
            each(&entry.toml_path, &siblings(table, &entry.toml_path, |key| key.toml), |wrong| {
                let mut object = nested(table, &parts, wrong);
                if is_runner {
                    object = json!({ "runners": [object] });
                } else {
                    object["runners"] = json!([{ "limit": 1 }]);
                }
                details(object)
            });
        }
    }
}

#[test]
fn misspelt_keys_in_hcl_are_refused_with_a_suggestion() {
    for table in [&GLOBAL, &RUNNER] {
        for entry in entries(table) {
            let parts: Vec<&str> = entry.hcl_path.split('.').collect();
            each(&entry.hcl_path, &siblings(table, &entry.hcl_path, |key| key.hcl), |wrong| {
                let read = from_hcl(&nested(table, &parts, wrong), table, NEWEST, AttributePath::of("config"));
                read.map(|_| Vec::new()).unwrap_or_else(|found| found.into_iter().map(|found| found.detail).collect())
            });
        }
    }
}
