//! Tags of a group, of which some are for the cluster autoscaler.

use serde_json::{Map, Value as Json};

use super::EksctlError;
use super::document::Document;
use super::taints::Taint;

const NODE: &str = "k8s.io/cluster-autoscaler/node-template/";
const AUTOSCALER: &str = "k8s.io/cluster-autoscaler/";

/// Options of the autoscaler for one group, and the attributes of the same.
const OPTIONS: [(&str, &str); 5] = [
    ("scaledownutilizationthreshold", "scale_down_utilization_threshold"),
    ("scaledowngpuutilizationthreshold", "scale_down_gpu_utilization_threshold"),
    ("scaledownunneededtime", "scale_down_unneeded_time"),
    ("scaledownunreadytime", "scale_down_unready_time"),
    ("ignoredaemonsetsutilization", "ignore_daemonsets_utilization"),
];

/// Tags by what becomes of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tags {
    /// Tags of the node group.
    pub(super) own: Map<String, Json>,
    /// Further tags for the autoscaler, which only reads those of the Auto Scaling Group.
    pub(super) of_asg: Map<String, Json>,
    pub(super) resources: Map<String, Json>,
    pub(super) options: Map<String, Json>,
    /// Keys of tags that the provider derives.
    pub(super) derived: Vec<String>,
}

/// A map, a list of `{key, value}`, or a list of `key=value`.
pub(super) fn read(document: &Document, path: &str, tags: &Json) -> Result<Map<String, Json>, EksctlError> {
    let Json::Array(items) = tags else { return document.text_map(path, tags) };
    let mut all = Map::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}.{index}");
        let wrong = || document.invalid(&path, "a tag is {key, value} or key=value");
        match item {
            Json::String(text) => {
                let (key, value) = text.split_once('=').ok_or_else(wrong)?;
                all.insert(key.to_owned(), value.into());
            }
            Json::Object(fields) => {
                let field = |names: [&str; 2]| names.iter().find_map(|name| fields.get(*name));
                let key = field(["key", "Key"]).ok_or_else(wrong)?;
                let value = field(["value", "Value"]).map(|value| document.any_text(&path, value)).transpose()?;
                all.insert(document.any_text(&path, key)?, value.unwrap_or_default().into());
            }
            _ => return Err(wrong()),
        }
    }
    Ok(all)
}

/// Sorts the tags of a group with these labels and taints.
pub(super) fn sort(tags: Map<String, Json>, labels: &Map<String, Json>, taints: &[Taint]) -> Tags {
    let mut sorted = Tags::default();
    for (key, value) in tags {
        let Some(rest) = key.strip_prefix(NODE) else {
            match key.strip_prefix(AUTOSCALER) {
                // EKS tags the Auto Scaling Group itself for the discovery.
                Some(_) => sorted.derived.push(key),
                None => drop(sorted.own.insert(key, value)),
            }
            continue;
        };
        let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
        let option = OPTIONS.iter().find(|(option, _)| *option == name.to_ascii_lowercase());
        match (kind, option) {
            ("label", _) if labels.get(name) == Some(&value) || name == "eks.amazonaws.com/capacityType" => {
                sorted.derived.push(key);
            }
            ("taint", _) if taints.iter().any(|taint| is_of(taint, name, &value)) => sorted.derived.push(key),
            ("resources", _) => drop(sorted.resources.insert(name.to_owned(), value)),
            ("autoscaling-options", Some((_, attribute))) => {
                sorted.options.insert((*attribute).to_owned(), plain(&value));
            }
            _ => drop(sorted.of_asg.insert(key, value)),
        }
    }
    sorted
}

fn is_of(taint: &Taint, key: &str, value: &Json) -> bool {
    taint.key == key && value.as_str() == Some(&format!("{}:{}", taint.value, taint.effect))
}

/// Numbers and booleans without quotes.
fn plain(value: &Json) -> Json {
    let text = value.as_str().unwrap_or_default();
    match serde_json::from_str(text) {
        Ok(plain @ (Json::Number(_) | Json::Bool(_))) => plain,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_are_assigned_to_group_or_asg() {
        let tags = json!({
            "team": "ci",
            "k8s.io/cluster-autoscaler/enabled": "true",
            "k8s.io/cluster-autoscaler/node-template/label/intent": "build",
            "k8s.io/cluster-autoscaler/node-template/label/other": "x",
            "k8s.io/cluster-autoscaler/node-template/taint/a": "true:NoSchedule",
            "k8s.io/cluster-autoscaler/node-template/taint/b": "true:NoSchedule",
            "k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage": "100G",
            "k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownunneededtime": "5m",
            "k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownutilizationthreshold": "0.5",
        });
        let labels = json!({ "intent": "build" });
        let taint = Taint { key: "a".to_owned(), value: "true".to_owned(), effect: "NoSchedule" };
        let sorted = sort(tags.as_object().unwrap().clone(), labels.as_object().unwrap(), &[taint]);
        assert_eq!(Json::Object(sorted.own), json!({ "team": "ci" }));
        assert_eq!(
            Json::Object(sorted.of_asg),
            json!({
                "k8s.io/cluster-autoscaler/node-template/label/other": "x",
                "k8s.io/cluster-autoscaler/node-template/taint/b": "true:NoSchedule",
            })
        );
        assert_eq!(Json::Object(sorted.resources), json!({ "ephemeral-storage": "100G" }));
        let options = json!({ "scale_down_unneeded_time": "5m", "scale_down_utilization_threshold": 0.5 });
        assert_eq!(Json::Object(sorted.options), options);
        assert_eq!(sorted.derived.len(), 3);
    }
}
