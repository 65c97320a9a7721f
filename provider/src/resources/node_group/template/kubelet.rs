//! Settings of the kubelet under their names in `KubeletConfiguration` and in Bottlerocket's settings.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tfplugin::framework::value::Number;
use tfplugin::framework::{Object, Raw, Value};

use super::schema::Kubelet;

/// The configured settings by attribute.
pub(super) type Settings = BTreeMap<String, Json>;

/// A setting under its three names.
struct Setting {
    attribute: &'static str,
    /// In `KubeletConfiguration`, for nodeadm.
    kubelet: &'static str,
    /// In `settings.kubernetes` of Bottlerocket; `None` if it does not have the setting.
    bottlerocket: Option<&'static str>,
}

const SETTINGS: [Setting; 14] = [
    both("max_pods", "maxPods", "max-pods"),
    both("image_gc_high_threshold_percent", "imageGCHighThresholdPercent", "image-gc-high-threshold-percent"),
    both("image_gc_low_threshold_percent", "imageGCLowThresholdPercent", "image-gc-low-threshold-percent"),
    kubelet_alone("serialize_image_pulls", "serializeImagePulls"),
    kubelet_alone("max_parallel_image_pulls", "maxParallelImagePulls"),
    both("registry_pull_qps", "registryPullQPS", "registry-qps"),
    both("registry_burst", "registryBurst", "registry-burst"),
    both("container_log_max_size", "containerLogMaxSize", "container-log-max-size"),
    both("container_log_max_files", "containerLogMaxFiles", "container-log-max-files"),
    both("pod_pids_limit", "podPidsLimit", "pod-pids-limit"),
    both("cpu_manager_policy", "cpuManagerPolicy", "cpu-manager-policy"),
    both("system_reserved", "systemReserved", "system-reserved"),
    both("kube_reserved", "kubeReserved", "kube-reserved"),
    both("eviction_hard", "evictionHard", "eviction-hard"),
];

const fn both(attribute: &'static str, kubelet: &'static str, bottlerocket: &'static str) -> Setting {
    Setting { attribute, kubelet, bottlerocket: Some(bottlerocket) }
}

const fn kubelet_alone(attribute: &'static str, kubelet: &'static str) -> Setting {
    Setting { attribute, kubelet, bottlerocket: None }
}

/// The configured settings; `None` while one of them is unknown.
pub(super) fn given(kubelet: &Value<Kubelet>) -> Option<Settings> {
    let kubelet = match kubelet {
        Value::Unknown => return None,
        Value::Null => return Some(Settings::new()),
        Value::Known(kubelet) => kubelet.clone().into_raw(),
    };
    if !kubelet.is_wholly_known() {
        return None;
    }
    let values = SETTINGS.iter().filter_map(|setting| {
        let value = json(&kubelet.get(setting.attribute))?;
        Some((setting.attribute.to_owned(), value))
    });
    Some(values.collect())
}

/// The attribute `kubelet` for these settings.
pub(super) fn attribute(settings: &Settings) -> Value<Kubelet> {
    if settings.is_empty() {
        return Value::Null;
    }
    let all = SETTINGS.iter().map(|setting| {
        let value = settings.get(setting.attribute).map_or(Raw::Null, raw);
        (setting.attribute.to_owned(), value)
    });
    // User data of others may have a value of another type than the attribute: the attribute is then null.
    match Kubelet::from_raw(Raw::Map(all.collect())) {
        Ok(Some(kubelet)) => Value::Known(kubelet),
        _ => Value::Null,
    }
}

/// The settings under their names in `KubeletConfiguration`.
pub(super) fn configuration(settings: &Settings) -> Settings {
    let name = |setting: &Setting| Some((setting.kubelet.to_owned(), settings.get(setting.attribute)?.clone()));
    SETTINGS.iter().filter_map(name).collect()
}

/// The settings of a `KubeletConfiguration` that have an attribute, and whether these are all of them.
pub(super) fn of_configuration(configuration: &serde_json::Map<String, Json>) -> (Settings, bool) {
    let attribute = |name: &str| {
        SETTINGS.iter().find(|setting| setting.kubelet == name).map(|setting| setting.attribute.to_owned())
    };
    let known: Settings =
        configuration.iter().filter_map(|(name, value)| Some((attribute(name)?, value.clone()))).collect();
    let is_all = known.len() == configuration.len();
    (known, is_all)
}

/// The settings under their names in Bottlerocket.
pub(super) fn bottlerocket(settings: &Settings) -> toml::Table {
    let name = |setting: &Setting| {
        let value = toml::Value::try_from(settings.get(setting.attribute)?).ok()?;
        Some((setting.bottlerocket?.to_owned(), value))
    };
    SETTINGS.iter().filter_map(name).collect()
}

/// Removes the settings that have an attribute from those of Bottlerocket, and returns them.
pub(super) fn take_from_bottlerocket(kubernetes: &mut toml::Table) -> Settings {
    let mut take = |setting: &Setting| {
        let value = kubernetes.remove(setting.bottlerocket?)?;
        Some((setting.attribute.to_owned(), serde_json::to_value(value).ok()?))
    };
    SETTINGS.iter().filter_map(&mut take).collect()
}

/// The configured settings that Bottlerocket does not have.
pub(super) fn not_of_bottlerocket(settings: &Settings) -> Vec<&'static str> {
    let lacking = SETTINGS.iter().filter(|setting| setting.bottlerocket.is_none());
    lacking.map(|setting| setting.attribute).filter(|attribute| settings.contains_key(*attribute)).collect()
}

fn json(raw: &Raw) -> Option<Json> {
    match raw {
        Raw::Bool(value) => Some((*value).into()),
        Raw::Number(number) => number.as_i64().map(Json::from),
        Raw::String(text) => Some(text.clone().into()),
        Raw::Map(map) => {
            let entries = map.iter().filter_map(|(key, value)| Some((key.clone(), json(value)?)));
            Some(Json::Object(entries.collect()))
        }
        _ => None,
    }
}

fn raw(value: &Json) -> Raw {
    match value {
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => number.as_i64().map_or(Raw::Null, |number| Raw::Number(Number::from(number))),
        Json::String(text) => Raw::from(text.as_str()),
        Json::Object(map) => Raw::Map(map.iter().map(|(key, value)| (key.clone(), raw(value))).collect()),
        _ => Raw::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use tfplugin::framework::value::Map;

    fn all() -> Kubelet {
        let map = |key: &str, value: &str| Value::Known(Map::from([(key.to_owned(), value.into())]));
        Kubelet {
            max_pods: 58.into(),
            image_gc_high_threshold_percent: 80.into(),
            image_gc_low_threshold_percent: 60.into(),
            serialize_image_pulls: false.into(),
            max_parallel_image_pulls: 5.into(),
            registry_pull_qps: 0.into(),
            registry_burst: 20.into(),
            container_log_max_size: "50Mi".into(),
            container_log_max_files: 3.into(),
            pod_pids_limit: 4096.into(),
            cpu_manager_policy: "static".into(),
            system_reserved: map("memory", "500Mi"),
            kube_reserved: map("cpu", "100m"),
            eviction_hard: map("memory.available", "200Mi"),
        }
    }

    #[test]
    fn every_attribute_is_applied_and_read_back() {
        let settings = given(&Value::Known(all())).unwrap();
        assert_eq!(settings.len(), SETTINGS.len());
        assert_eq!(attribute(&settings), Value::Known(all()));
        let configuration = configuration(&settings);
        assert_eq!(configuration["imageGCHighThresholdPercent"], json!(80));
        assert_eq!(configuration["evictionHard"], json!({ "memory.available": "200Mi" }));
        let back = of_configuration(&configuration.into_iter().collect());
        assert_eq!(back, (settings.clone(), true));

        let mut table = bottlerocket(&settings);
        assert_eq!(table["registry-qps"], toml::Value::from(0));
        assert_eq!(not_of_bottlerocket(&settings), ["serialize_image_pulls", "max_parallel_image_pulls"]);
        assert_eq!(take_from_bottlerocket(&mut table).len(), SETTINGS.len() - 2);
        assert!(table.is_empty());
    }

    #[test]
    fn empty_input_gives_an_empty_result() {
        assert_eq!(given(&Value::Null), Some(Settings::new()));
        assert_eq!(given(&Value::Known(Kubelet::default())), Some(Settings::new()));
        assert_eq!(attribute(&Settings::new()), Value::Null);
        assert_eq!(given(&Value::Known(Kubelet { max_pods: Value::Unknown, ..Kubelet::default() })), None);
    }

    #[test]
    fn values_without_an_attribute_are_reported() {
        let configuration = json!({ "maxPods": 10, "shutdownGracePeriod": "30s" });
        let (known, is_all) = of_configuration(configuration.as_object().unwrap());
        assert_eq!((known, is_all), (Settings::from([("max_pods".to_owned(), json!(10))]), false));
    }
}
