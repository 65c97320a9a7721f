//! Lists the placeholders of a cluster.

use tfplugin::framework::list_resource::Found;
use tfplugin::framework::{Context, Diagnostics, ListResource};

use super::WarmCapacityResource;
use super::manifests::{is_warm_capacity, selector_of_all};
use crate::configured::Data;
use crate::identity::ObjectIdentity;
use crate::list::{Cluster, ObjectFilter, place};

/// The kinds of workloads.
const KINDS: [(&str, &str); 2] = [("apps/v1", "Deployment"), ("batch/v1", "CronJob")];

impl ListResource for WarmCapacityResource {
    type Filter = ObjectFilter;
    const LIST_DESCRIPTION: &'static str = "Lists the warm capacity that this provider created in a cluster, \
         including that of other states.\n\n\
         Requires `list` on `deployments.apps` and `cronjobs.batch`, and with `include_resource` the permissions of \
         a plan.";

    async fn list(
        &self,
        context: &Context<Data>,
        filter: ObjectFilter,
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
