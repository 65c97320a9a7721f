//! The kinds of the server.

use serde_json::{Value as Json, json};

#[derive(Debug)]
pub(super) struct Kind {
    pub(super) group_version: &'static str,
    /// Unique among all groups.
    pub(super) resource: &'static str,
    pub(super) kind: &'static str,
    pub(super) is_namespaced: bool,
}

const KINDS: [Kind; 20] = [
    kind("v1", "configmaps", "ConfigMap", true),
    kind("v1", "events", "Event", true),
    kind("v1", "namespaces", "Namespace", false),
    kind("v1", "pods", "Pod", true),
    kind("v1", "secrets", "Secret", true),
    kind("v1", "serviceaccounts", "ServiceAccount", true),
    kind("v1", "services", "Service", true),
    kind("apps/v1", "deployments", "Deployment", true),
    kind("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true),
    kind("batch/v1", "cronjobs", "CronJob", true),
    kind("batch/v1", "jobs", "Job", true),
    kind("monitoring.coreos.com/v1", "podmonitors", "PodMonitor", true),
    kind("monitoring.coreos.com/v1", "servicemonitors", "ServiceMonitor", true),
    kind("networking.k8s.io/v1", "ingresses", "Ingress", true),
    kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", true),
    kind("rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", false),
    kind("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", false),
    kind("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", true),
    kind("rbac.authorization.k8s.io/v1", "roles", "Role", true),
    kind("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", false),
];

const fn kind(group_version: &'static str, resource: &'static str, kind: &'static str, is_namespaced: bool) -> Kind {
    Kind { group_version, resource, kind, is_namespaced }
}

pub(super) fn kind_at(group_version: &str, resource: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.group_version == group_version && kind.resource == resource)
}

pub(super) fn kind_of(object: &Json) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| object["apiVersion"] == kind.group_version && object["kind"] == kind.kind)
}

impl Kind {
    pub(super) fn group(&self) -> &'static str {
        self.group_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The name in errors: `deployments.apps`.
    pub(super) fn qualified(&self) -> String {
        format!("{}.{}", self.resource, self.group()).trim_end_matches('.').to_owned()
    }
}

/// The response to a discovery request.
pub(super) fn answer(path: &str) -> Option<Json> {
    match path {
        "/api" => Some(json!({ "versions": ["v1"], "serverAddressByClientCIDRs": [] })),
        "/apis" => Some(json!({ "groups": groups() })),
        _ => resources(path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?),
    }
}

fn groups() -> Vec<Json> {
    let mut kinds: Vec<&Kind> = KINDS.iter().filter(|kind| !kind.group().is_empty()).collect();
    kinds.dedup_by_key(|kind| kind.group_version);
    let group = |kind: &Kind| {
        let version = json!({ "groupVersion": kind.group_version, "version": kind.group_version });
        json!({ "name": kind.group(), "versions": [version], "preferredVersion": version })
    };
    kinds.into_iter().map(group).collect()
}

fn resources(group_version: &str) -> Option<Json> {
    let kinds = KINDS.iter().filter(|kind| kind.group_version == group_version);
    let resource = |Kind { resource, kind, is_namespaced, .. }: &Kind| {
        let verbs = ["delete", "get", "list", "patch"];
        json!({ "name": resource, "singularName": "", "namespaced": is_namespaced, "kind": kind, "verbs": verbs })
    };
    let resources: Vec<Json> = kinds.map(resource).collect();
    (!resources.is_empty()).then(|| json!({ "groupVersion": group_version, "resources": resources }))
}
