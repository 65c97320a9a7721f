//! Attributes that all resources of Kubernetes objects have in common.

use tfplugin::framework::value::{Map, known_map};
use tfplugin::framework::{Plan, Value};

use super::manifest::Manifest;

/// The common attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'a> {
    pub(crate) cluster_name: &'a Value<String>,
    pub(crate) namespace: &'a Value<String>,
    pub(crate) name: &'a Value<String>,
    pub(crate) manifest: &'a Value<Map<String>>,
}

/// A state that shows the objects of its resource.
pub(crate) trait ShowsObjects: Clone {
    fn attributes(&self) -> Attributes<'_>;

    /// Sets the attributes that show the objects.
    fn show(&mut self, manifest: &Manifest);

    /// The objects in the state.
    fn manifest(&self) -> Manifest {
        known_map(self.attributes().manifest).unwrap_or_default()
    }

    /// Namespace and name; empty strings while they are unknown.
    fn namespace_and_name(&self) -> [&str; 2] {
        let Attributes { namespace, name, .. } = self.attributes();
        [namespace, name].map(|value| value.as_str().unwrap_or_default())
    }

    /// The ID of the resource, which is also its import ID.
    fn import_id(&self) -> Value<String> {
        match self.attributes() {
            Attributes { namespace: Value::Known(namespace), name: Value::Known(name), .. } => {
                format!("{namespace}/{name}").into()
            }
            _ => Value::Unknown,
        }
    }
}

/// Requires a replacement if the resource moves to another cluster.
pub(crate) fn replace_if_moved<M: ShowsObjects, P>(plan: &mut Plan<M, P>) {
    let cluster = |model: &M| model.attributes().cluster_name.as_str().map(str::to_owned);
    let before = plan.prior.as_ref().and_then(cluster);
    if before.zip(cluster(&plan.planned)).is_some_and(|(before, after)| before != after) {
        plan.require_replace("cluster_name");
    }
}
