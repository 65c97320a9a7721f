//! Merges the observed pod template with the desired one, and lists their differences.

use serde_json::{Map, Value as Json};

use super::tolerated;
use crate::resources::runner_release::secret_hashes::SecretHashes;
use crate::resources::runner_release::spec::Quantity;

/// A field with a different value in the observed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Difference {
    /// Path in the pod template, with the names of list elements.
    pub(in super::super) path: String,
    /// The observed value and the desired one, if both are short and not secret.
    pub(in super::super) values: Option<(String, String)>,
}

impl Difference {
    /// A difference without values.
    pub(super) fn at(path: impl Into<String>) -> Self {
        Self { path: path.into(), values: None }
    }
}

/// Returns the desired template with the fields that the observed one may keep, in the order of the observed one.
pub(super) fn merge_templates(
    own: &Json,
    found: &Json,
    foreign: &[String],
    manager: &str,
    hashes: &SecretHashes,
) -> MergedTemplate {
    let mut merger = Merger { foreign, manager, hashes, differences: Vec::new() };
    let template = merger.value(own, found, "");
    MergedTemplate { template, differences: merger.differences }
}

/// The result of a merge.
#[derive(Debug, PartialEq)]
pub(super) struct MergedTemplate {
    pub(super) template: Json,
    pub(super) differences: Vec<Difference>,
}

struct Merger<'a> {
    /// Fields that Helm did not write.
    foreign: &'a [String],
    manager: &'a str,
    hashes: &'a SecretHashes,
    differences: Vec<Difference>,
}

impl Merger<'_> {
    fn value(&mut self, own: &Json, found: &Json, at: &str) -> Json {
        match (own, found) {
            (Json::Object(own), Json::Object(found)) => Json::Object(self.object(own, found, at)),
            (Json::Array(own), Json::Array(found)) => Json::Array(self.list(own, found, at)),
            _ if own == found || *found == redacted(own, at, self.hashes) || is_same_amount(own, found, at) => {
                own.clone()
            }
            _ if tolerated::is_of_the_chart(at, own, found, self.manager) => found.clone(),
            _ => self.differ(at, Some(own), Some(found)),
        }
    }

    fn object(&mut self, own: &Map<String, Json>, found: &Map<String, Json>, at: &str) -> Map<String, Json> {
        let mut merged = Map::new();
        for (name, found_value) in found {
            let here = format!("{at}.{name}");
            if let Some(own) = own.get(name) {
                merged.insert(name.clone(), self.value(own, found_value, &here));
            } else if tolerated::is_leftover(&here, found_value, self.manager) {
                merged.insert(name.clone(), found_value.clone());
            } else if let (Some(_), Some(found)) = (key(&here), found_value.as_array()) {
                let items = self.list(&[], found, &here);
                if !items.is_empty() {
                    merged.insert(name.clone(), Json::Array(items));
                }
            } else {
                let is_policy = name == "imagePullPolicy" && tolerated::is_default_policy(&Json::Object(found.clone()));
                let is_nothing = is_void(found_value) || tolerated::is_default(name, found_value) || is_policy;
                if !is_nothing && !self.foreign.contains(&here) {
                    self.differ(&here, None, Some(found_value));
                }
            }
        }
        for (name, value) in own.iter().filter(|(name, _)| !found.contains_key(*name)) {
            let here = format!("{at}.{name}");
            if tolerated::is_of_no_use(&here, value, own, self.manager) {
                continue;
            }
            if !is_void(value) && !tolerated::is_dropped(name, value) {
                self.differ(&here, Some(value), None);
            }
            merged.insert(name.clone(), value.clone());
        }
        merged
    }

    fn list(&mut self, own: &[Json], found: &[Json], at: &str) -> Vec<Json> {
        let Some(key) = key(at) else {
            if own.len() != found.len() {
                self.differ(at, None, None);
                return own.to_vec();
            }
            let pairs = own.iter().zip(found).enumerate();
            return pairs.map(|(index, (own, found))| self.value(own, found, &format!("{at}[{index}]"))).collect();
        };
        let of = |items: &[Json], desired: &Json| items.iter().find(|item| item[key] == desired[key]).cloned();
        let mut merged = Vec::new();
        for found in found {
            let here = element(at, key, found);
            if let Some(own) = of(own, found) {
                merged.push(self.value(&own, found, &here));
            } else if tolerated::is_leftover(&here, found, self.manager) {
                merged.push(found.clone());
            } else if !self.foreign.contains(&here) {
                self.differ(&here, None, Some(found));
            }
        }
        for own in own.iter().filter(|own| of(found, own).is_none()) {
            self.differ(&element(at, key, own), Some(own), None);
            merged.push(own.clone());
        }
        merged
    }

    /// Records a difference, and returns the value of this provider.
    fn differ(&mut self, at: &str, own: Option<&Json>, found: Option<&Json>) -> Json {
        let shown = |value: Option<&Json>| match value {
            _ if may_be_secret(at) => None,
            None => Some("nothing".to_owned()),
            Some(Json::String(text)) if text.len() < 200 => Some(text.clone()),
            Some(value @ (Json::Number(_) | Json::Bool(_))) => Some(value.to_string()),
            Some(_) => None,
        };
        let values = shown(found).zip(shown(own)).filter(|_| own.is_some() || found.is_some());
        self.differences.push(Difference { path: at.to_owned(), values });
        own.cloned().unwrap_or_default()
    }
}

/// Returns the template with keyed hashes in place of values that may be secret.
pub(super) fn redact(template: &Json, hashes: &SecretHashes) -> Json {
    redacted_below(template, "", hashes)
}

fn redacted_below(value: &Json, at: &str, hashes: &SecretHashes) -> Json {
    match value {
        Json::Object(fields) => {
            let field = |(name, value): (&String, &Json)| {
                (name.clone(), redacted_below(value, &format!("{at}.{name}"), hashes))
            };
            Json::Object(fields.iter().map(field).collect())
        }
        Json::Array(items) => {
            let item = |(index, item): (usize, &Json)| {
                let here = key(at).map_or_else(|| format!("{at}[{index}]"), |key| element(at, key, item));
                redacted_below(item, &here, hashes)
            };
            Json::Array(items.iter().enumerate().map(item).collect())
        }
        plain => redacted(plain, at, hashes),
    }
}

fn redacted(value: &Json, at: &str, hashes: &SecretHashes) -> Json {
    match value.as_str() {
        Some(text) if may_be_secret(at) => format!("hash {}", hashes.of_text(at, text).0).into(),
        _ => value.clone(),
    }
}

/// Whether a value may be secret: environment variables except those of the chart, and arguments of containers.
fn may_be_secret(at: &str) -> bool {
    let is_of_register = || tolerated::OF_REGISTER.iter().any(|name| at.ends_with(&format!(".env[{name}].value")));
    at.contains(".env[") && at.ends_with(".value") && !is_of_register() || at.contains(".args[")
}

/// Returns the paths of the template that none of these managers has written.
pub(super) fn foreign(template: &Json, fields: &[&Json]) -> Vec<String> {
    let mut paths = Vec::new();
    find_foreign(template, fields, "", &mut paths);
    paths
}

fn find_foreign(value: &Json, fields: &[&Json], at: &str, paths: &mut Vec<String>) {
    // In managedFields an empty object means that the manager has written the whole value.
    if fields.iter().any(|fields| fields.as_object().is_some_and(Map::is_empty)) {
        return;
    }
    let mut look = |value: &Json, here: String, below: Vec<&Json>| match below.is_empty() {
        true => paths.push(here),
        false => find_foreign(value, &below, &here, paths),
    };
    match value {
        Json::Object(object) => {
            for (name, value) in object {
                let below = fields.iter().filter_map(|fields| fields.get(format!("f:{name}"))).collect();
                look(value, format!("{at}.{name}"), below);
            }
        }
        Json::Array(items) => {
            let Some(key) = key(at) else { return };
            for item in items {
                let is_its = |text: &str| {
                    let keys: Option<Json> = text.strip_prefix("k:").and_then(|text| serde_json::from_str(text).ok());
                    let keys = keys.as_ref().and_then(Json::as_object);
                    keys.is_some_and(|keys| keys.iter().all(|(name, value)| item[name] == *value))
                };
                let entries = fields.iter().filter_map(|fields| fields.as_object()).flatten();
                let below = entries.filter(|(name, _)| is_its(name)).map(|(_, below)| below).collect();
                look(item, element(at, key, item), below);
            }
        }
        _ => {}
    }
}

/// Returns the field that identifies the elements of a list; `None` if their order does.
fn key(at: &str) -> Option<&'static str> {
    match at.rsplit('.').next() {
        Some("containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets") => Some("name"),
        Some("volumeMounts") => Some("mountPath"),
        Some("ports") => Some("containerPort"),
        Some("hostAliases") => Some("ip"),
        _ => None,
    }
}

fn element(at: &str, key: &str, item: &Json) -> String {
    match &item[key] {
        Json::String(name) => format!("{at}[{name}]"),
        other => format!("{at}[{other}]"),
    }
}

/// Whether the API server omits a value.
fn is_void(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn is_same_amount(own: &Json, found: &Json, at: &str) -> bool {
    let is_amount = [".limits.", ".requests."].iter().any(|part| at.contains(part)) || at.ends_with(".sizeLimit");
    is_amount && Quantity::of(own).is_some() && Quantity::of(own) == Quantity::of(found)
}

#[cfg(test)]
mod tests {
    use crate::resources::runner_release::private::Private;
    use serde_json::json;

    use super::*;

    fn own() -> Json {
        json!({
            "metadata": { "annotations": { "checksum/configmap": "ours", "checksum/restart-on": "x", "checksum/service-account": "y" }, "labels": { "app": "r", "chart": "1" } },
            "spec": {
                "containers": [{
                    "name": "r", "image": "i:1", "resources": { "requests": { "cpu": "1000m" } },
                    "env": [{ "name": "A", "value": "secret" }, { "name": "B", "value": "" }],
                    "volumeMounts": [{ "name": "v", "mountPath": "/a" }, { "name": "v", "mountPath": "/b", "readOnly": false }],
                }],
                "volumes": [{ "name": "v", "emptyDir": {} }, { "name": "w", "projected": { "sources": [{ "secret": { "name": "s" } }] } }],
            },
        })
    }

    fn found() -> Json {
        json!({
            "metadata": {
                "creationTimestamp": null, "labels": { "app": "r", "chart": "2" },
                "annotations": { "checksum/configmap": "theirs", "checksum/secrets": "theirs", "kubectl.kubernetes.io/restartedAt": "now" },
            },
            "spec": {
                "containers": [{
                    "name": "r", "image": "i:1", "imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File",
                    "lifecycle": { "preStop": { "exec": { "command": ["/entrypoint", "unregister", "--all-runners"] } } },
                    "ports": [{ "name": "metrics", "containerPort": 9252, "protocol": "TCP" }],
                    "resources": { "requests": { "cpu": "1" } },
                    "env": [{ "name": "B" }, { "name": "SESSION_SERVER_ADDRESS" }, { "name": "A", "value": "secret" }],
                    "volumeMounts": [{ "name": "v", "mountPath": "/b" }, { "name": "v", "mountPath": "/a" }],
                }],
                "dnsPolicy": "ClusterFirst", "securityContext": {},
                "volumes": [
                    { "name": "runner-secrets", "emptyDir": { "medium": "Memory" } },
                    { "name": "w", "projected": { "defaultMode": 420, "sources": [{ "secret": { "name": "s" } }] } },
                    { "name": "v", "emptyDir": {} },
                ],
            },
        })
    }

    fn merged(own: &Json, found: &Json) -> MergedTemplate {
        let hashes = SecretHashes::stored_or_new(&Private::default());
        let foreign = [".metadata.annotations.kubectl.kubernetes.io/restartedAt".to_owned()];
        merge_templates(own, &redact(found, &hashes), &foreign, "r", &hashes)
    }

    fn paths(merged: &MergedTemplate) -> Vec<&str> {
        merged.differences.iter().map(|difference| difference.path.as_str()).collect()
    }

    #[test]
    fn preserved_values_are_merged_at_their_positions() {
        let merged = merged(&own(), &found());
        assert_eq!(paths(&merged), [""; 0]);
        assert_eq!(
            merged.template,
            json!({
                "metadata": {
                    "annotations": { "checksum/configmap": "theirs", "checksum/secrets": "theirs" },
                    "labels": { "app": "r", "chart": "2" },
                },
                "spec": {
                    "containers": [{
                        "name": "r", "image": "i:1",
                        "lifecycle": { "preStop": { "exec": { "command": ["/entrypoint", "unregister", "--all-runners"] } } },
                        "ports": [{ "name": "metrics", "containerPort": 9252, "protocol": "TCP" }],
                        "resources": { "requests": { "cpu": "1000m" } },
                        "env": [
                            { "name": "B", "value": "" }, { "name": "SESSION_SERVER_ADDRESS" }, { "name": "A", "value": "secret" },
                        ],
                        "volumeMounts": [
                            { "name": "v", "mountPath": "/b", "readOnly": false }, { "name": "v", "mountPath": "/a" },
                        ],
                    }],
                    "volumes": [
                        { "name": "runner-secrets", "emptyDir": { "medium": "Memory" } },
                        { "name": "w", "projected": { "sources": [{ "secret": { "name": "s" } }] } },
                        { "name": "v", "emptyDir": {} },
                    ],
                },
            })
        );
    }

    #[test]
    fn every_other_field_is_a_difference() {
        let cases: [(&str, Json, &str); 8] = [
            ("/spec/containers/0/image", json!("i:2"), ".spec.containers[r].image"),
            ("/spec/containers/0/imagePullPolicy", json!("Always"), ".spec.containers[r].imagePullPolicy"),
            ("/spec/containers/0/env/2/value", json!("other"), ".spec.containers[r].env[A].value"),
            (
                "/spec/containers/0/lifecycle",
                json!({ "preStop": { "sleep": { "seconds": 1 } } }),
                ".spec.containers[r].lifecycle",
            ),
            ("/spec/containers/0/ports/0/name", json!("session-server"), ".spec.containers[r].ports[9252]"),
            ("/spec/volumes/1/projected/sources", json!([]), ".spec.volumes[w].projected.sources"),
            ("/spec/dnsPolicy", json!("None"), ".spec.dnsPolicy"),
            ("/metadata/labels/app", json!("s"), ".metadata.labels.app"),
        ];
        for (pointer, value, path) in cases {
            let mut found = found();
            *found.pointer_mut(pointer).unwrap() = value;
            assert_eq!(paths(&merged(&own(), &found)), [path]);
        }
        let mut own = own();
        own["spec"]["containers"][0]["securityContext"] = json!({ "privileged": false });
        assert_eq!(paths(&merged(&own, &found())), [".spec.containers[r].securityContext"]);
    }

    #[test]
    fn defaults_of_ours_are_no_reason_for_another_pod() {
        let pod = |context: Json, readiness: (i64, i64), startup: Option<Json>| {
            let readiness = json!({ "initialDelaySeconds": readiness.0, "periodSeconds": readiness.1 });
            let mut container = json!({ "name": "r", "readinessProbe": readiness });
            if let Some(startup) = startup {
                container["startupProbe"] = startup;
            }
            json!({ "spec": { "securityContext": context, "containers": [container] } })
        };
        let (profile, startup) = (json!({ "type": "RuntimeDefault" }), Some(json!({ "periodSeconds": 2 })));
        let default = json!({ "runAsUser": 100, "fsGroup": 65533, "seccompProfile": profile });
        let of_chart = json!({ "runAsUser": 100, "fsGroup": 65533 });
        let own = pod(default.clone(), (0, 10), startup.clone());
        let found = pod(of_chart.clone(), (60, 60), None);
        let kept = merged(&own, &found);
        assert_eq!(paths(&kept), [""; 0]);
        assert_eq!(kept.template["spec"]["securityContext"], of_chart);
        let container = json!({ "name": "r", "readinessProbe": { "initialDelaySeconds": 60, "periodSeconds": 60 } });
        assert_eq!(kept.template["spec"]["containers"], json!([container]));

        // Explicit values are compared, both those of this configuration and those of Helm.
        let probe = ".spec.containers[r].readinessProbe";
        let asked = pod(default.clone(), (5, 10), startup.clone());
        assert_eq!(paths(&merged(&asked, &found)), [format!("{probe}.initialDelaySeconds")]);
        let found = pod(of_chart, (60, 30), None);
        assert_eq!(paths(&merged(&own, &found)), [format!("{probe}.periodSeconds")]);
        let written = |context: Json| pod(context, (0, 10), startup.clone());
        let (own, found) = (json!({ "runAsUser": 1000, "seccompProfile": profile }), json!({ "runAsUser": 1000 }));
        assert_eq!(paths(&merged(&written(own), &written(found))), [".spec.securityContext.seccompProfile"]);
    }

    #[test]
    fn no_delay_is_left_out_by_the_api() {
        let pod = |probe: Json| json!({ "spec": { "containers": [{ "name": "r", "readinessProbe": probe }] } });
        let own = pod(json!({ "initialDelaySeconds": 0, "periodSeconds": 10 }));
        assert_eq!(paths(&merged(&own, &pod(json!({ "periodSeconds": 10 })))), [""; 0]);
    }

    #[test]
    fn secrets_are_neither_stored_nor_shown() {
        let hashes = SecretHashes::stored_or_new(&Private::default());
        let mut found = found();
        found["spec"]["containers"][0]["env"][2]["value"] = "very-secret".into();
        found["spec"]["containers"].as_array_mut().unwrap().push(json!({ "name": "s", "args": ["--very-secret"] }));
        assert!(!redact(&found, &hashes).to_string().contains("very-secret"));
        let merged = merged(&own(), &found);
        assert!(!format!("{merged:?}").contains("very-secret"));
        let image = Difference { path: ".spec.containers[r].env[A].value".into(), values: None };
        assert_eq!(merged.differences, [image, Difference { path: ".spec.containers[s]".into(), values: None }]);
    }

    #[test]
    fn foreign_fields_are_recognised_by_their_manager() {
        let template = json!({
            "metadata": { "annotations": { "a": "1", "b": "2" } },
            "spec": { "containers": [{ "name": "r", "image": "i" }, { "name": "s", "image": "i" }], "command": ["x"] },
        });
        let helm = json!({
            "f:metadata": { "f:annotations": { "f:a": {} } },
            "f:spec": { "f:command": {}, "f:containers": { "k:{\"name\":\"r\"}": { ".": {}, "f:name": {} } } },
        });
        assert_eq!(
            foreign(&template, &[&helm]),
            [".metadata.annotations.b", ".spec.containers[r].image", ".spec.containers[s]"]
        );
        assert_eq!(foreign(&template, &[&helm, &json!({})]), [""; 0]);
    }
}
