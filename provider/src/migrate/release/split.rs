//! Splits values files with several `[[runners]]`.

use serde_json::{Map, Value as Json};
use toml::Value as Toml;

use crate::resources::runner_release::values;

/// Keys with a config.toml. The first one takes precedence in the chart.
const KEYS: [&str; 2] = ["configOverride", "config"];

/// The values files for each runner, with the name in its section. Files with one runner are not changed.
pub(super) fn runners(files: &[&str]) -> Vec<(Option<String>, Vec<String>)> {
    let all = || files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>();
    several(files).unwrap_or_else(|| vec![(None, all())])
}

fn several(files: &[&str]) -> Option<Vec<(Option<String>, Vec<String>)>> {
    let (index, values, key) = last_with_config(files)?;
    let text = values.get("runners")?.get(key)?.as_str()?;
    let mut whole: toml::Table = text.parse().ok()?;
    let Some(Toml::Array(sections)) = whole.remove("runners") else { return None };
    if sections.len() < 2 {
        return None;
    }
    let file = |section: &Toml| {
        let mut one = whole.clone();
        one.insert("runners".to_owned(), Toml::Array(vec![section.clone()]));
        let mut values = values.clone();
        let runners = values.get_mut("runners").and_then(Json::as_object_mut)?;
        runners.insert(key.to_owned(), toml::to_string(&one).ok()?.into());
        let name = section.get("name").and_then(Toml::as_str).map(str::to_owned);
        // `runners.name` of the chart applies to all runners. The name in the section is that of one.
        if let Some(name) = &name {
            runners.insert("name".to_owned(), name.as_str().into());
        }
        let mut all: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        // JSON is YAML, so that the text is a valid values file.
        *all.get_mut(index)? = serde_json::to_string_pretty(&values).ok()?;
        Some((name, all))
    };
    sections.iter().map(file).collect()
}

/// The last file with a config.toml, which takes precedence, with its index, its values and the key.
fn last_with_config(files: &[&str]) -> Option<(usize, Map<String, Json>, &'static str)> {
    files.iter().enumerate().rev().find_map(|(index, file)| {
        let values = values::parse(file)?;
        let has =
            |key: &&str| values.get("runners").is_some_and(|runners| runners.get(*key).is_some_and(Json::is_string));
        let key = KEYS.into_iter().find(has)?;
        Some((index, values, key))
    })
}
