//! Converts the snake case of HCL to the camel case of the Kubernetes API, for settings that Kubernetes defines.

use serde_json::{Map, Value};

/// Objects with keys of the user, such as labels. These keys are not converted.
const OWN_KEYS: [&str; 7] =
    ["annotations", "labels", "limits", "match_labels", "options", "requests", "volume_attributes"];

/// Names with an irregular spelling in the API.
const EXCEPTIONS: [(&str, &str); 10] = [
    ("dataset_uuid", "datasetUUID"),
    ("disk_uri", "diskURI"),
    ("downward_api", "downwardAPI"),
    ("host_ip", "hostIP"),
    ("pd_id", "pdID"),
    ("scale_io", "scaleIO"),
    ("selinux_options", "seLinuxOptions"),
    ("storage_policy_id", "storagePolicyID"),
    ("target_wwns", "targetWWNs"),
    ("volume_id", "volumeID"),
];

/// Renames the keys of a value recursively. Nulls are removed: HCL sends them for every attribute that is not set.
pub fn to_api(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let renamed = fields.map(|(name, value)| {
                let value = if OWN_KEYS.contains(&name.as_str()) { without_nulls(value) } else { to_api(value) };
                (api_name(&name), value)
            });
            Value::Object(renamed.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(to_api).collect()),
        plain => plain,
    }
}

/// Converts names of the API to HCL. Names without a corresponding name are omitted, and listed in `lost` with `path`.
pub(super) fn from_api(value: Value, path: &str, lost: &mut Vec<String>) -> Value {
    match value {
        Value::Object(fields) => {
            let mut renamed = Map::new();
            for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
                let hcl = hcl_name(&name);
                if api_name(&hcl) != name {
                    lost.push(format!("{path}{name}"));
                    continue;
                }
                let is_own = OWN_KEYS.contains(&hcl.as_str());
                let value =
                    if is_own { without_nulls(value) } else { from_api(value, &format!("{path}{name}."), lost) };
                renamed.insert(hcl, value);
            }
            Value::Object(renamed)
        }
        Value::Array(items) => {
            let item = |(index, item)| from_api(item, &format!("{path}{index}."), lost);
            Value::Array(items.into_iter().enumerate().map(item).collect())
        }
        plain => plain,
    }
}

fn hcl_name(name: &str) -> String {
    if let Some((hcl, _)) = EXCEPTIONS.iter().find(|(_, api)| *api == name) {
        return (*hcl).to_owned();
    }
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

pub(super) fn api_name(name: &str) -> String {
    if let Some((_, api)) = EXCEPTIONS.iter().find(|(hcl, _)| *hcl == name) {
        return (*api).to_owned();
    }
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_do_not_follow_the_rule() {
        let hcl = json!([
            { "downward_api": { "items": [{ "path": "x", "field_ref": { "field_path": "y" } }] } },
            { "projected": { "sources": [{ "downward_api": {} }, { "cluster_trust_bundle": { "signer_name": "s" } }] } },
            { "scale_io": { "ssl_enabled": true } },
            { "vsphere_volume": { "volume_path": "p", "storage_policy_id": "i" } },
            { "photon_persistent_disk": { "pd_id": "p" } },
            { "flocker": { "dataset_uuid": "u" } },
            { "flex_volume": { "options": { "some_key": "v" } } },
            { "security_context": { "se_linux_options": {}, "selinux_options": {} } },
        ]);
        let api = json!([
            { "downwardAPI": { "items": [{ "path": "x", "fieldRef": { "fieldPath": "y" } }] } },
            { "projected": { "sources": [{ "downwardAPI": {} }, { "clusterTrustBundle": { "signerName": "s" } }] } },
            { "scaleIO": { "sslEnabled": true } },
            { "vsphereVolume": { "volumePath": "p", "storagePolicyID": "i" } },
            { "photonPersistentDisk": { "pdID": "p" } },
            { "flocker": { "datasetUUID": "u" } },
            { "flexVolume": { "options": { "some_key": "v" } } },
            { "securityContext": { "seLinuxOptions": {} } },
        ]);
        assert_eq!(to_api(hcl), api);
    }

    #[test]
    fn renames_fields_but_not_the_users_own_keys() {
        let hcl = json!({
            "resources": { "requests": { "cpu": "1", "example.com/my_gpu": "1" }, "limits": null },
            "volumes": [{
                "name": "a",
                "empty_dir": { "size_limit": "1Gi", "medium": null },
                "csi": { "volume_attributes": { "some_key": "v" }, "read_only": true },
            }],
            "affinity": { "pod_anti_affinity": { "required_during_scheduling_ignored_during_execution": [{
                "topology_key": "kubernetes.io/hostname",
                "label_selector": { "match_labels": { "my_app": "x" } },
            }] } },
            "ports": [{ "container_port": 1, "host_ip": "1.2.3.4" }],
        });
        let api = json!({
            "resources": { "requests": { "cpu": "1", "example.com/my_gpu": "1" } },
            "volumes": [{
                "name": "a",
                "emptyDir": { "sizeLimit": "1Gi" },
                "csi": { "volumeAttributes": { "some_key": "v" }, "readOnly": true },
            }],
            "affinity": { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [{
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": { "matchLabels": { "my_app": "x" } },
            }] } },
            "ports": [{ "containerPort": 1, "hostIP": "1.2.3.4" }],
        });
        assert_eq!(to_api(hcl), api);
    }
}
