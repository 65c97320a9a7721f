//! Keys that the chart does not have: where they belong, or which key was meant.

use gitlabspot_runner_config::catalogue::{GLOBAL, RUNNER, entries};
use gitlabspot_runner_config::suggest::{nearest, plain};

use super::keys::{CHART, KEYS, MapsTo};

/// Names that resemble no key, and the keys with that purpose.
const ELSEWHERE: &[(&str, &str)] = &[
    ("config.toml", "runners.config"),
    ("logging", "logLevel and logFormat"),
    ("url", "gitlabUrl"),
    ("token", "runnerToken"),
    ("extraVolumes", "volumes"),
    ("extraVolumeMounts", "volumeMounts"),
    ("environment", "extraEnv, or environment in runners.config for jobs"),
    ("env", "extraEnv, or environment in runners.config for jobs"),
    ("annotations", "podAnnotations or deploymentAnnotations"),
    ("labels", "podLabels or deploymentLabels"),
    ("persistence", "volumes and volumeMounts"),
    ("autoscaling", "hpa"),
    ("podDisruptionBudget", "the attribute pod_disruption_budget of the resource"),
    ("pdb", "the attribute pod_disruption_budget of the resource"),
];

/// Returns a message that follows the key.
pub(super) fn message(name: &str, path: &str, prefix: &str) -> String {
    let has_none = format!("the chart ({CHART}) does not have this key and ignores it");
    match place(name, path, prefix) {
        Some(place) => format!("{has_none}. {place}"),
        None => format!("{has_none}."),
    }
}

fn place(name: &str, path: &str, prefix: &str) -> Option<String> {
    let siblings = KEYS.iter().filter_map(|key| key.path.strip_prefix(prefix)?.split('.').next());
    let near = nearest(name, siblings);
    // With the same letters, or one difference, this key was meant.
    if let Some(near) = near.filter(|near| strsim::osa_distance(&plain(near), &plain(name)) <= 1) {
        return Some(format!("Did you mean {prefix}{near}?"));
    }
    if let Some(key) = of_joined_name(path) {
        return Some(format!("Did you mean {key}?"));
    }
    if let Some((_, instead)) = ELSEWHERE.iter().find(|(other, _)| *other == path) {
        return Some(format!("Write {instead}."));
    }
    if let Some(key) = of_same_name(name, path) {
        return Some(format!("It belongs to {key}."));
    }
    if let Some(place) = in_config(name) {
        return Some(place);
    }
    near.map(|near| format!("Did you mean {prefix}{near}?"))
}

/// Returns the key of the chart with the same words, such as `runners.tags` for `runnerTags`, and
/// `runners.cache.secretName` for `cacheSecretName`.
fn of_joined_name(path: &str) -> Option<&'static str> {
    let joined = |path: &str| plain(&path.replace('.', ""));
    let is_plain = |key: &&super::ValuesKey| !matches!(key.maps_to, MapsTo::Older(_) | MapsTo::Nothing(_));
    let is_same = |key: &str| key.contains('.') && strsim::osa_distance(&joined(key), &joined(path)) <= 1;
    let below = |key: &'static str| key.split_once('.').map_or("", |(_, below)| below);
    KEYS.iter().filter(is_plain).map(|key| key.path).find(|key| is_same(key) || is_same(below(key)))
}

/// Returns the only key of the chart with this last name at another place.
fn of_same_name(name: &str, path: &str) -> Option<&'static str> {
    let is_plain = |key: &&super::ValuesKey| !matches!(key.maps_to, MapsTo::Older(_) | MapsTo::Nothing(_));
    let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    // Names such as `enabled` or `labels` exist in several places, and identify none.
    let mut found = KEYS
        .iter()
        .filter(is_plain)
        .map(|key| key.path)
        .filter(|other| plain(last(other)) == plain(name) && *other != path);
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Returns a hint if config.toml has a key of this name, also in camel case.
fn in_config(name: &str) -> Option<String> {
    let of = |table| entries(table).into_iter().find(|entry| plain(entry.key.toml) == plain(name));
    if let Some(entry) = of(&RUNNER) {
        let (table, key) = entry.toml_path.rsplit_once('.').unwrap_or(("", &entry.toml_path));
        let table = if table.is_empty() { "[[runners]]".to_owned() } else { format!("[runners.{table}]") };
        return Some(format!("In runners.config it is {key} in {table}."));
    }
    let entry = of(&GLOBAL)?;
    let key = KEYS.iter().find(|key| matches!(key.maps_to, MapsTo::Global(to) if to == entry.hcl_path));
    key.map(|key| format!("Write {}.", key.path))
}
