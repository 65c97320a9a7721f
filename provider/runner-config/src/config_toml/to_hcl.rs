//! Conversion of a validated table to an HCL object in snake case.

use serde_json::Value as Json;
use toml::Value as Toml;

use crate::catalogue::{Kind, Table};

/// Converts a table that was read with the catalogue. Keys that it does not contain are omitted.
pub fn to_hcl(table: &toml::Table, catalogue: &'static Table) -> Json {
    let attributes = table.iter().filter_map(|(name, value)| {
        let key = catalogue.by_toml(name)?;
        let value = match (key.kind, value) {
            (Kind::Table(of), Toml::Table(table)) => to_hcl(table, of),
            (Kind::Tables(of), Toml::Array(items)) => {
                let items = items.iter().filter_map(Toml::as_table);
                Json::Array(items.map(|item| to_hcl(item, of)).collect())
            }
            (Kind::ChoiceOrChoices(_), Toml::String(text)) => Json::from(vec![text.clone()]),
            // Go durations that are integers are in nanoseconds.
            (Kind::Duration, Toml::Integer(nanoseconds)) => Json::from(format!("{nanoseconds}ns")),
            (_, value) => json(value),
        };
        Some((key.hcl.to_owned(), value))
    });
    Json::Object(attributes.collect())
}

fn json(value: &Toml) -> Json {
    match value {
        Toml::String(text) => Json::from(text.clone()),
        Toml::Integer(number) => Json::from(*number),
        Toml::Float(number) => Json::from(*number),
        Toml::Boolean(flag) => Json::from(*flag),
        Toml::Datetime(time) => Json::from(time.to_string()),
        Toml::Array(items) => Json::Array(items.iter().map(json).collect()),
        Toml::Table(table) => Json::Object(table.iter().map(|(name, value)| (name.clone(), json(value))).collect()),
    }
}
