//! User data of Bottlerocket: its settings in TOML, to which EKS adds those of the cluster.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Parts, Problem};
use crate::resources::node_group::template::kubelet;

/// Name of the command in `settings.bootstrap-commands`.
const INSTANCE_STORE: &str = "gitlabspot-instance-store";

/// Settings in `settings.kubernetes` that EKS sets.
const OF_EKS: [&str; 3] = ["api-server", "cluster-certificate", "cluster-name"];

/// Name for all registries in the attribute, and that of Bottlerocket.
const ALL_REGISTRIES: (&str, &str) = ("_default", "*");

pub(super) fn compose(parts: &Parts) -> Result<Option<String>, Problem> {
    let mut document: Table = match &parts.user_data {
        Some(text) => toml::from_str(text).map_err(|error| Problem::NoToml(error.to_string()))?,
        None => Table::new(),
    };
    // Comments alone are valid TOML, and so is a script with a first line only.
    if parts.user_data.is_some() && !document.contains_key("settings") {
        return Err(Problem::NoSettings);
    }
    let kubernetes = document.get("settings").and_then(|settings| settings.get("kubernetes"));
    for name in OF_EKS {
        if kubernetes.is_some_and(|kubernetes| kubernetes.get(name).is_some()) {
            return Err(Problem::OfEks(format!("kubernetes.{name}")));
        }
    }
    for (name, value) in kubelet::bottlerocket(&parts.kubelet) {
        set(&mut document, &["kubernetes", &name], value, "kubelet")?;
    }
    if !parts.registry_mirrors.is_empty() {
        let mirrors = parts.registry_mirrors.iter().map(mirror).collect();
        set(&mut document, &["container-registry", "mirrors"], Value::Array(mirrors), "registry_mirrors")?;
    }
    if parts.instance_store {
        set(&mut document, &["bootstrap-commands", INSTANCE_STORE], instance_store(), "instance_store")?;
    }
    if document.is_empty() {
        return Ok(None);
    }
    // Without other parts the user's own data stays unchanged, including comments.
    let is_of_user = parts == &Parts { user_data: parts.user_data.clone(), ..Parts::default() };
    match &parts.user_data {
        Some(text) if is_of_user => Ok(Some(text.clone())),
        _ => toml::to_string(&document).map(Some).map_err(|error| Problem::NoToml(error.to_string())),
    }
}

fn set(document: &mut Table, [table, name]: &[&str; 2], value: Value, attribute: &str) -> Result<(), Problem> {
    let twice = || Problem::SetTwice { setting: format!("{table}.{name}"), attribute: attribute.to_owned() };
    let settings = document.entry("settings").or_insert_with(|| Table::new().into());
    let settings = settings.as_table_mut().ok_or_else(twice)?;
    let inner = settings.entry(*table).or_insert_with(|| Table::new().into()).as_table_mut().ok_or_else(twice)?;
    if inner.contains_key(*name) {
        return Err(twice());
    }
    inner.insert((*name).to_owned(), value);
    Ok(())
}

fn mirror((host, urls): (&String, &Vec<String>)) -> Value {
    let (ours, theirs) = ALL_REGISTRIES;
    let registry = if host == ours { theirs } else { host };
    let endpoint = urls.iter().map(|url| Value::from(url.as_str())).collect();
    Table::from_iter([("registry".to_owned(), registry.into()), ("endpoint".to_owned(), Value::Array(endpoint))]).into()
}

/// The commands that set up local disks. Without such disks they have no effect.
fn instance_store() -> Value {
    let init = ["apiclient", "ephemeral-storage", "init"].as_slice();
    let dirs = ["/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"];
    let bind = [["apiclient", "ephemeral-storage", "bind", "--dirs"].as_slice(), &dirs].concat();
    let command = |words: &[&str]| Value::Array(words.iter().map(|word| Value::from(*word)).collect());
    let commands = Value::Array(vec![command(init), command(&bind)]);
    Table::from_iter([
        ("commands".to_owned(), commands),
        ("essential".to_owned(), true.into()),
        ("mode".to_owned(), "always".into()),
    ])
    .into()
}

pub(super) fn parts(text: &str) -> Parts {
    let whole = Parts { user_data: Some(text.to_owned()), ..Parts::default() };
    let Ok(mut document) = toml::from_str::<Table>(text) else { return whole };
    let Some(settings) = document.get_mut("settings").and_then(Value::as_table_mut) else { return whole };
    let mut found = Parts::default();
    if let Some(kubernetes) = settings.get_mut("kubernetes").and_then(Value::as_table_mut) {
        found.kubelet = kubelet::take_from_bottlerocket(kubernetes);
    }
    if let Some(registry) = settings.get_mut("container-registry").and_then(Value::as_table_mut)
        && let Some(mirrors) = registry.get("mirrors").and_then(of_mirrors)
    {
        found.registry_mirrors = mirrors;
        registry.remove("mirrors");
    }
    if let Some(commands) = settings.get_mut("bootstrap-commands").and_then(Value::as_table_mut) {
        found.instance_store = commands.remove(INSTANCE_STORE).is_some();
    }
    if found == Parts::default() {
        return whole;
    }
    settings.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
    document.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
    found.user_data = toml::to_string(&document).ok().filter(|text| !text.is_empty());
    found
}

fn of_mirrors(mirrors: &Value) -> Option<BTreeMap<String, Vec<String>>> {
    let (ours, theirs) = ALL_REGISTRIES;
    let mirror = |mirror: &Value| {
        let host = mirror.get("registry")?.as_str()?;
        let urls = mirror.get("endpoint")?.as_array()?.iter().map(|url| Some(url.as_str()?.to_owned()));
        Some((if host == theirs { ours } else { host }.to_owned(), urls.collect::<Option<_>>()?))
    };
    mirrors.as_array()?.iter().map(mirror).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::everything;
    use super::*;

    #[test]
    fn settings_of_the_users_and_ours() {
        let text = compose(&everything("[settings.kernel]\nlockdown = \"integrity\"\n")).unwrap().unwrap();
        let document: Table = toml::from_str(&text).unwrap();
        let settings = &document["settings"];
        assert_eq!(settings["kernel"]["lockdown"].as_str(), Some("integrity"));
        assert_eq!(settings["kubernetes"]["max-pods"].as_integer(), Some(58));
        let mirrors = settings["container-registry"]["mirrors"].as_array().unwrap();
        let registries: Vec<_> = mirrors.iter().filter_map(|mirror| mirror["registry"].as_str()).collect();
        assert_eq!(registries, ["*", "docker.io"]);
        let commands = settings["bootstrap-commands"][INSTANCE_STORE]["commands"].as_array().unwrap();
        assert_eq!(commands[0].as_array().unwrap().last().and_then(Value::as_str), Some("init"));
        assert!(commands[1].as_array().unwrap().contains(&"/var/lib/containerd".into()), "{commands:?}");
    }

    #[test]
    fn user_content_alone_is_unchanged() {
        let theirs = "# ours\n[settings.kernel]\nlockdown = \"integrity\"";
        let alone = Parts { user_data: Some(theirs.to_owned()), ..Parts::default() };
        assert_eq!(compose(&alone), Ok(Some(theirs.to_owned())));
        assert_eq!(parts(theirs), alone);
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |text: &str| compose(&everything(text)).unwrap_err();
        assert!(matches!(refused("#!/bin/sh\necho\n"), Problem::NoToml(_)));
        assert_eq!(refused("#!/bin/sh\n"), Problem::NoSettings);
        let name = "[settings.kubernetes]\ncluster-name = \"prod\"\n";
        assert_eq!(refused(name), Problem::OfEks("kubernetes.cluster-name".to_owned()));
        let twice = refused("[settings.kubernetes]\nmax-pods = 10\n");
        assert!(matches!(twice, Problem::SetTwice { setting, .. } if setting == "kubernetes.max-pods"));
    }
}
