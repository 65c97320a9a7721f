//! The manager's service account.

use serde_json::{Value, json};

use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    let account = &spec.service_account;
    if !account.create {
        return None;
    }
    let object = metadata::object(spec, "v1", "ServiceAccount", &account.name);
    let mut object = metadata::with(object, None, Some(&account.annotations));
    let secrets: Vec<Value> = account.image_pull_secrets.iter().map(|name| json!({ "name": name })).collect();
    put(&mut object, "imagePullSecrets", secrets);
    Some(Value::Object(object))
}
