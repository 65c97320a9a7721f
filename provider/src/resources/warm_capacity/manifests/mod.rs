//! The Kubernetes objects, one file each, as the API takes them.

pub(super) mod cron_job;
pub(super) mod deployment;
pub(super) mod job;
mod pod;
pub(super) mod priority_class;

use gitlabspot_clients::kubernetes::ObjectRef;
use serde_json::{Value as Json, json};

use super::model::Desired;
use crate::objects::requests::MANAGED_BY;

const NAME: &str = "app.kubernetes.io/name";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// What tells placeholders from everything else of this provider.
const WARM_CAPACITY: &str = "gitlabspot-warm-capacity";

/// On all objects of one resource.
fn labels(desired: &Desired) -> Json {
    json!({ NAME: WARM_CAPACITY, INSTANCE: desired.name, MANAGED_BY: "gitlabspot" })
}

fn metadata(desired: &Desired, name: &str) -> Json {
    json!({ "name": name, "namespace": desired.namespace, "labels": labels(desired) })
}

/// What may make the placeholders of one resource: a Deployment, or with a schedule a CronJob.
pub(super) fn workloads(namespace: &str, name: &str) -> [ObjectRef; 2] {
    [("apps/v1", "Deployment"), ("batch/v1", "CronJob")].map(|(api_version, kind)| ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    })
}

/// Finds the objects of one resource in its namespace.
pub(super) fn selector(name: &str) -> String {
    format!("{NAME}={WARM_CAPACITY},{INSTANCE}={name}")
}

/// Finds those of all of them.
pub(super) fn selector_of_all() -> String {
    format!("{NAME}={WARM_CAPACITY}")
}

/// Whether an object was made by this kind of resource.
pub(super) fn is_warm_capacity(object: &Json) -> bool {
    object["metadata"]["labels"][NAME] == WARM_CAPACITY && crate::objects::requests::is_ours(object)
}

#[cfg(test)]
mod tests;
