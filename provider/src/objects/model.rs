//! What the states of all resources of Kubernetes objects have.

use tfplugin::framework::value::{Map, known_map};
use tfplugin::framework::{Plan, Value};

use super::manifest::Manifest;

/// The attributes that these resources have in common.
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

    /// The objects that it shows.
    fn manifest(&self) -> Manifest {
        known_map(self.attributes().manifest).unwrap_or_default()
    }

    /// Namespace and name; empty texts while they are not known.
    fn namespace_and_name(&self) -> [&str; 2] {
        let Attributes { namespace, name, .. } = self.attributes();
        [namespace, name].map(|value| value.as_str().unwrap_or_default())
    }

    /// The ID of the resource, which imports it.
    fn import_id(&self) -> Value<String> {
        match self.attributes() {
            Attributes { namespace: Value::Known(namespace), name: Value::Known(name), .. } => {
                format!("{namespace}/{name}").into()
            }
            _ => Value::Unknown,
        }
    }
}

/// Replaces a resource that moves to another cluster.
pub(crate) fn replace_if_moved<M: ShowsObjects, P>(plan: &mut Plan<M, P>) {
    let cluster = |model: &M| model.attributes().cluster_name.as_str().map(str::to_owned);
    let before = plan.prior.as_ref().and_then(cluster);
    if before.zip(cluster(&plan.planned)).is_some_and(|(before, after)| before != after) {
        plan.require_replace("cluster_name");
    }
}
