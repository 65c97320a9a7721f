//! The complete list of differences between the pod of the chart and that of this provider that do not affect a running
//! manager. For every other difference the pod is replaced.

use serde_json::{Map, Value as Json, json};

use crate::resources::runner_release::spec::{READINESS, pod_security_context};

/// Variables of the chart that only `gitlab-runner register` reads, which has already run in a running pod.
pub(super) const OF_REGISTER: [&str; 4] =
    ["KUBERNETES_NAMESPACE", "REGISTER_LOCKED", "RUNNER_TAG_LIST", "SESSION_SERVER_ADDRESS"];

/// Whether only the pod of the chart has a field, and may keep it.
pub(super) fn is_leftover(path: &str, found: &Json, manager: &str) -> bool {
    let container = format!(".spec.containers[{manager}]");
    let Some(field) = path.strip_prefix(&container) else {
        return match path {
            // No container mounts it.
            ".spec.volumes[runner-secrets]" => found["emptyDir"].is_object(),
            // Checksums of the content that the pod was started with, which no container reads.
            ".metadata.annotations.checksum/configmap" | ".metadata.annotations.checksum/secrets" => true,
            _ => false,
        };
    };
    match field {
        // It runs when the pod ends, as with Helm.
        ".lifecycle" => *found == json!({ "preStop": { "exec": { "command": UNREGISTER } } }),
        // The chart sets it without a value if there is no session server; the manager does not read it.
        ".env[SESSION_SERVER_ADDRESS]" => found.as_object().is_some_and(|fields| fields.len() == 1),
        // The namespace of jobs is compared as part of the configuration.
        ".env[KUBERNETES_NAMESPACE]" | ".env[REGISTER_LOCKED]" | ".env[RUNNER_TAG_LIST]" => {
            found["valueFrom"].is_null()
        }
        // Ports of a container are informational; the manager listens on the port in config.toml.
        _ if field.starts_with(".ports[") => found["name"] != "session-server",
        _ => false,
    }
}

const UNREGISTER: [&str; 3] = ["/entrypoint", "unregister", "--all-runners"];

/// Initial delay and period of the chart's readiness probe, in seconds.
const READINESS_OF_CHART: (i64, i64) = (60, 60);

/// Whether a field may keep the value that it has in the pod of the chart.
pub(super) fn is_of_the_chart(path: &str, own: &Json, found: &Json, manager: &str) -> bool {
    let probe = format!(".spec.containers[{manager}].readinessProbe.");
    // The defaults determine how soon a new pod is ready. Explicit times are compared.
    let is_default = |ours: i64, theirs: i64| *own == ours && *found == theirs;
    match path.strip_prefix(&probe) {
        Some("initialDelaySeconds") => return is_default(READINESS.0, READINESS_OF_CHART.0),
        Some("periodSeconds") => return is_default(READINESS.1, READINESS_OF_CHART.1),
        _ => {}
    }
    matches!(
        path,
        // Checksums of the content that the pod was started with, which is compared itself.
        ".metadata.annotations.checksum/configmap" | ".metadata.annotations.checksum/secrets"
        // The chart and tool that created the pod; no selector uses them.
        | ".metadata.labels.chart" | ".metadata.labels.heritage"
    )
}

/// Whether only the pod of this provider has a field, and a running pod does not need it. `beside` are its siblings.
pub(super) fn is_of_no_use(path: &str, own: &Json, beside: &Map<String, Json>, manager: &str) -> bool {
    match path {
        ".metadata.annotations.checksum/configmap" | ".metadata.annotations.checksum/secrets" => true,
        // It restarts the pods when its value changes; a first value is no change.
        ".metadata.annotations.checksum/restart-on" => true,
        // The service account of the observed pod is compared itself.
        ".metadata.annotations.checksum/service-account" => true,
        // A running pod was admitted without it. An explicit security context is compared completely.
        ".spec.securityContext.seccompProfile" => pod_security_context().as_object() == Some(beside),
        // The Secret existed when the pod started.
        _ if path.starts_with(".spec.volumes[projected-secrets]") => path.ends_with(".secret.optional") && *own == true,
        // The pod has started already.
        _ => path.strip_prefix(".spec.containers[") == Some(&format!("{manager}].startupProbe")),
    }
}

/// Whether a value is the default of the API server.
pub(super) fn is_default(name: &str, value: &Json) -> bool {
    match name {
        "terminationMessagePath" => value == "/dev/termination-log",
        "terminationMessagePolicy" => value == "File",
        "restartPolicy" => value == "Always",
        "dnsPolicy" => value == "ClusterFirst",
        "schedulerName" => value == "default-scheduler",
        // The deprecated alias of serviceAccountName.
        "serviceAccount" => true,
        "protocol" => value == "TCP",
        "apiVersion" => value == "v1",
        "divisor" => value == "0",
        "defaultMode" => *value == 0o644,
        "enableServiceLinks" => *value == true,
        "terminationGracePeriodSeconds" => *value == 30,
        "timeoutSeconds" | "successThreshold" => *value == 1,
        "periodSeconds" => *value == 10,
        "failureThreshold" => *value == 3,
        _ => false,
    }
}

/// Whether the API server omits a field with this value: a flag that is false, or a delay of zero.
pub(super) fn is_dropped(name: &str, value: &Json) -> bool {
    *value == 0 && name == "initialDelaySeconds"
        || *value == false
            && ["readOnly", "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty"].contains(&name)
}

/// Whether the pull policy is the default for the image: Always for the tag `latest`, else IfNotPresent.
pub(super) fn is_default_policy(container: &Json) -> bool {
    let image = container["image"].as_str().unwrap_or_default();
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map_or("latest", |(_, tag)| tag);
    let policy = if tag == "latest" && !image.contains('@') { "Always" } else { "IfNotPresent" };
    container["imagePullPolicy"] == policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_differences_are_preserved() {
        let hook = |command: Json| json!({ "preStop": { "exec": { "command": command } } });
        let is = |field: &str, found: Json| is_leftover(&format!(".spec.containers[r]{field}"), &found, "r");
        assert!(is(".lifecycle", hook(json!(["/entrypoint", "unregister", "--all-runners"]))));
        assert!(!is(".lifecycle", hook(json!(["sleep", "1"]))));
        assert!(is(".env[SESSION_SERVER_ADDRESS]", json!({ "name": "SESSION_SERVER_ADDRESS" })));
        assert!(!is(".env[SESSION_SERVER_ADDRESS]", json!({ "name": "SESSION_SERVER_ADDRESS", "value": "x" })));
        assert!(is(".ports[9252]", json!({ "name": "metrics", "containerPort": 9252 })));
        assert!(!is(".env[OTHER]", json!({ "name": "OTHER" })));
        assert!(!is_leftover(".spec.volumes[other]", &json!({ "emptyDir": {} }), "r"));
    }

    #[test]
    fn pull_policies_follow_from_images() {
        let of = |image: &str, policy: &str| is_default_policy(&json!({ "image": image, "imagePullPolicy": policy }));
        assert!(of("registry:5000/a", "Always") && of("a:1", "IfNotPresent") && of("a@sha256:0", "IfNotPresent"));
        assert!(!of("a:1", "Always") && !of("a", "IfNotPresent"));
    }
}
