//! Binds the manager's service account to its roles.

use serde_json::{Value, json};

use super::super::spec::ReleaseSpec;
use super::{metadata, role};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn objects(spec: &ReleaseSpec) -> Vec<Value> {
    let account = match spec.service_account.name.as_str() {
        "" => "default",
        name => name,
    };
    let objects = role::grants(spec).into_iter().map(|grant| {
        let api = format!("{GROUP}/v1");
        let mut object = metadata::in_namespace(spec, &api, grant.binding_kind(), &grant.name, grant.namespace);
        object
            .insert("roleRef".to_owned(), json!({ "apiGroup": GROUP, "kind": grant.role_kind(), "name": grant.name }));
        object.insert(
            "subjects".to_owned(),
            json!([{ "kind": "ServiceAccount", "name": account, "namespace": spec.names.namespace }]),
        );
        Value::Object(object)
    });
    objects.collect()
}
