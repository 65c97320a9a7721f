//! Permissions of the manager: Roles, or ClusterRoles if a namespace is not sufficient.

use serde_json::{Value, json};

use super::super::spec::{Advertise, ReleaseSpec, Rule, priority_classes, session_server_rule};
use super::metadata;

/// A role and its scope.
pub(super) struct Grant<'a> {
    pub(super) name: String,
    /// `None` for the whole cluster.
    pub(super) namespace: Option<&'a str>,
    pub(super) rules: Vec<Rule>,
}

impl Grant<'_> {
    pub(super) fn role_kind(&self) -> &'static str {
        if self.namespace.is_some() { "Role" } else { "ClusterRole" }
    }

    pub(super) fn binding_kind(&self) -> &'static str {
        if self.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" }
    }
}

/// Returns everything that is granted to the manager's service account.
pub(super) fn grants(spec: &ReleaseSpec) -> Vec<Grant<'_>> {
    let mut grants = Vec::new();
    let Some(roles) = &spec.roles else { return grants };
    let (name, namespace) = match roles.cluster_wide {
        true => (spec.names.in_cluster(""), None),
        false => (spec.names.full.clone(), Some(roles.namespace.as_str())),
    };
    grants.push(Grant { name, namespace, rules: roles.rules.clone() });
    if roles.priority_classes {
        let name = spec.names.in_cluster("-priority-classes");
        grants.push(Grant { name, namespace: None, rules: vec![priority_classes()] });
    }
    if let Some(Advertise::LoadBalancer(_)) = spec.session_server.as_ref().map(|server| &server.advertise) {
        let mut rule = session_server_rule();
        rule.resource_names = vec![spec.names.with("session-server")];
        let name = spec.names.with("session-server");
        grants.push(Grant { name, namespace: Some(&spec.names.namespace), rules: vec![rule] });
    }
    grants
}

pub(super) fn objects(spec: &ReleaseSpec) -> Vec<Value> {
    let objects = grants(spec).into_iter().map(|grant| {
        let api = "rbac.authorization.k8s.io/v1";
        let mut object = metadata::in_namespace(spec, api, grant.role_kind(), &grant.name, grant.namespace);
        object.insert("rules".to_owned(), json!(grant.rules));
        Value::Object(object)
    });
    objects.collect()
}
