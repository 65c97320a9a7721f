//! The attributes of `gitlabspot_spot_instance_types`.

use tfplugin::framework::value::{List, Value};
use tfplugin::framework::{Number, Object, Set};

/// Arguments and results.
#[derive(Clone, Default, PartialEq, Object)]
pub struct SpotInstanceTypes {
    /// Number of vCPUs. The autoscaler sizes a node group by its first type, so all of one group should have the same.
    #[attr(optional)]
    pub vcpus: Value<i64>,
    /// Memory in GiB.
    #[attr(optional)]
    pub memory_gib: Value<Range>,
    /// `x86_64` (the default) or `arm64`.
    #[attr(optional)]
    pub architecture: Value<String>,
    /// Types to leave out; `*` stands for any characters, as in `t3.*`.
    #[attr(optional)]
    pub exclude: Value<Set<String>>,
    /// Zones in which the types are wanted, for instance `["af-south-1b"]`. Otherwise all zones of the region.
    #[attr(optional)]
    pub availability_zones: Value<Set<String>>,
    /// Only types that every one of the zones offers. Otherwise one zone is enough.
    #[attr(optional)]
    pub require_all_zones: Value<bool>,
    /// At most this many types, the cheapest: 1 to 20, by default 20, which is what a node group takes.
    #[attr(optional)]
    pub max_results: Value<i64>,
    /// Names of the types, cheapest first: fits `instance_types` of `gitlabspot_node_group`.
    #[attr(computed)]
    pub names: Value<List<String>>,
    /// The types, cheapest first.
    #[attr(computed)]
    pub instance_types: Value<List<InstanceType>>,
}

/// A range, each end included.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Range {
    /// Smallest.
    #[attr(optional)]
    pub min: Value<Number>,
    /// Largest.
    #[attr(optional)]
    pub max: Value<Number>,
}

/// One type.
#[derive(Clone, Default, PartialEq, Object)]
pub struct InstanceType {
    /// Its name.
    #[attr(computed)]
    pub name: Value<String>,
    /// Number of vCPUs.
    #[attr(computed)]
    pub vcpus: Value<i64>,
    /// Memory in GiB.
    #[attr(computed)]
    pub memory_gib: Value<Number>,
    /// Lowest current Spot price per hour among the zones, in US dollars.
    #[attr(computed)]
    pub spot_price: Value<Number>,
    /// Those of the zones that offer it.
    #[attr(computed)]
    pub availability_zones: Value<List<String>>,
}
