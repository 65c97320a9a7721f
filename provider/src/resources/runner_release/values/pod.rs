//! Image, security and environment of the manager's pod.

use serde_json::{Map, Value, json};

use super::ImageParts;
use super::translate::{ValuesTranslator, object, put};

/// Fields of a pod's security context that a container's does not have.
const OF_PODS: [&str; 5] =
    ["fsGroup", "fsGroupChangePolicy", "supplementalGroups", "supplementalGroupsPolicy", "sysctls"];

/// Fields of a container's security context that a pod's does not have.
const OF_CONTAINERS: [&str; 5] =
    ["allowPrivilegeEscalation", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem"];

/// Whether the security context of a container contains fields of a pod's.
pub(super) fn has_fields_of_pods(context: &Map<String, Value>) -> bool {
    OF_PODS.iter().any(|field| context.contains_key(*field))
}

impl ValuesTranslator<'_> {
    /// Sets the whole image, which was one text in charts before 0.50.
    pub(super) fn image(&mut self, image: &str) {
        match self.release.expand(image) {
            Ok(image) => put(&mut self.settings, "image", Value::String(image)),
            Err(unsupported) => {
                let detail =
                    format!("image: {}", gitlabspot_runner_config::config_toml::unsupported_detail(&unsupported));
                self.error("image", "Template expression not supported", &detail);
            }
        }
    }

    pub(super) fn image_parts(&mut self) {
        let [registry, image, tag] = ["image.registry", "image.image", "image.tag"].map(|key| self.text(key));
        self.translated.image = ImageParts { registry, image, tag };
    }

    pub(super) fn pod(&mut self) {
        self.security_contexts();
        if let Some(constraints) = self.specials.remove("topologySpreadConstraints") {
            put(&mut self.settings, "topology_spread_constraints", constraints);
        }
        let mut env = Vec::new();
        let variables = self.specials.remove("envVars");
        for variable in variables.as_ref().and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = variable.get("name").and_then(Value::as_str) else {
                let detail = "envVars must be a list of {name, value}.";
                self.error("envVars", "Invalid value in a values file", detail);
                return;
            };
            env.push(match variable.get("valueFrom") {
                Some(from) => json!({ "name": name, "valueFrom": from }),
                None => json!({ "name": name, "value": self.as_text(variable.get("value").unwrap_or(&Value::Null)) }),
            });
        }
        self.translated.env = env;
    }

    fn security_contexts(&mut self) {
        if let Some(Value::Object(mut context)) = self.specials.remove("securityContext") {
            for field in OF_PODS {
                let Some(value) = context.remove(field) else { continue };
                let pod = object(&mut self.settings, &["pod_security_context"]);
                let is_taken = match pod.get(field) {
                    // An explicit value replaces the default of the chart.
                    Some(_) if field == "fsGroup" && !self.translated.has_pod_fs_group => true,
                    Some(_) => false,
                    None => true,
                };
                if is_taken {
                    pod.insert(field.to_owned(), value);
                }
                let outcome = if is_taken { "It is taken there" } else { "It has no effect beside that one" };
                self.note(
                    &format!("securityContext.{field}"),
                    format!(
                        "a container's security context has no {field}; it belongs to podSecurityContext. {outcome}."
                    ),
                );
            }
            put(&mut self.settings, "security_context", Value::Object(context));
        }
        let fields: Vec<&str> = {
            let pod: &Map<String, Value> = object(&mut self.settings, &["pod_security_context"]);
            OF_CONTAINERS.into_iter().filter(|field| pod.contains_key(*field)).collect()
        };
        for field in fields {
            object(&mut self.settings, &["pod_security_context"]).remove(field);
            self.note(
                &format!("podSecurityContext.{field}"),
                format!("a pod's security context has no {field}, and the API server ignores it. It belongs to securityContext."),
            );
        }
    }
}
