//! The Kubernetes objects as the API accepts them, one file for each kind.

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

/// Value of the label that distinguishes warm capacity from other objects of this provider.
const WARM_CAPACITY: &str = "gitlabspot-warm-capacity";

/// Labels of the objects of one resource. Its PriorityClass, which others share, has its own.
fn labels(desired: &Desired) -> Json {
    json!({ NAME: WARM_CAPACITY, INSTANCE: desired.name, MANAGED_BY: "gitlabspot" })
}

fn metadata(desired: &Desired, name: &str) -> Json {
    json!({ "name": name, "namespace": desired.namespace, "labels": labels(desired) })
}

/// The possible workloads of one resource: a Deployment, or with a schedule a CronJob.
pub(super) fn workloads(namespace: &str, name: &str) -> [ObjectRef; 2] {
    [("apps/v1", "Deployment"), ("batch/v1", "CronJob")].map(|(api_version, kind)| ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    })
}

/// Label selector for the objects of one resource.
pub(super) fn selector(name: &str) -> String {
    format!("{NAME}={WARM_CAPACITY},{INSTANCE}={name}")
}

/// Label selector for the objects of all resources.
pub(super) fn selector_of_all() -> String {
    format!("{NAME}={WARM_CAPACITY}")
}

/// Whether an object was created by this kind of resource.
pub(super) fn is_warm_capacity(object: &Json) -> bool {
    object["metadata"]["labels"][NAME] == WARM_CAPACITY && crate::objects::requests::is_ours(object)
}

#[cfg(test)]
mod tests;
