//! Lists the placeholders of a cluster.

use super::WarmCapacityResource;
use super::manifests::{is_warm_capacity, selector_of_all};
use crate::framework::list_resource::Found;
use crate::framework::{Context, Diagnostics, ListResource, Object, Value};
use crate::provider::Data;
use crate::resources::identity::ObjectIdentity;
use crate::resources::list::{Cluster, place};

/// The kinds of objects that make placeholders.
const KINDS: [(&str, &str); 2] = [("apps/v1", "Deployment"), ("batch/v1", "CronJob")];

/// The arguments of a list of placeholders.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Filter {
    /// Name of the EKS cluster; the cluster of the provider's `kubernetes` settings unless given.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Namespace of the placeholders; all namespaces unless given.
    #[attr(optional)]
    pub namespace: Value<String>,
}

impl ListResource for WarmCapacityResource {
    type Filter = Filter;
    const LIST_DESCRIPTION: &'static str = "Lists the warm capacity of a cluster that this provider created, from any \
         state.\n\n\
         Needs `list` on `deployments.apps` and `cronjobs.batch`, and with `include_resource` what a plan needs.";

    async fn list(
        &self,
        context: &Context<Data>,
        filter: Filter,
        found: &mut Found<ObjectIdentity>,
    ) -> Result<(), Diagnostics> {
        let cluster = Cluster::connect(context, &filter.cluster_name).await?;
        for kind in KINDS {
            for object in cluster.list(kind, &filter.namespace, &selector_of_all()).await? {
                if is_warm_capacity(&object) {
                    let (namespace, name) = place(&object);
                    found.add(cluster.identity(namespace, name), format!("{namespace}/{name}"));
                }
            }
        }
        Ok(())
    }
}
