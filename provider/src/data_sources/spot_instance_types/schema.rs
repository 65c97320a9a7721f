//! The attributes of `gitlabspot_spot_instance_types`.

use tfplugin::framework::value::{List, Value};
use tfplugin::framework::{Number, Object, Set};

/// Arguments and results.
#[derive(Clone, Default, PartialEq, Object)]
pub struct SpotInstanceTypes {
    /// Number of vCPUs. The cluster autoscaler expects every node of a node group to be like the first instance type,
    /// so all types of a node group should have the same number. Defaults to any number.
    #[attr(optional)]
    pub vcpus: Value<i64>,
    /// Range of the memory in GiB. Defaults to any size.
    #[attr(optional)]
    pub memory_gib: Value<Range>,
    /// CPU architecture: `x86_64` or `arm64`. Defaults to `x86_64`.
    #[attr(optional)]
    pub architecture: Value<String>,
    /// Names of instance types to exclude. `*` matches any characters, for example `t3.*`. Defaults to none.
    #[attr(optional)]
    pub exclude: Value<Set<String>>,
    /// Availability zones in which the types must be offered, for example `["af-south-1b"]`. Defaults to all zones of
    /// the region.
    #[attr(optional)]
    pub availability_zones: Value<Set<String>>,
    /// Whether a type must be offered in every zone. Defaults to `false`: one zone is sufficient.
    #[attr(optional)]
    pub require_all_zones: Value<bool>,
    /// Maximum number of instance types, 1 to 20. The cheapest ones are returned. Defaults to 20, the maximum of a node
    /// group.
    #[attr(optional)]
    pub max_results: Value<i64>,
    /// Names of the instance types, cheapest first, for `instance_types` of `gitlabspot_node_group`.
    #[attr(computed)]
    pub names: Value<List<String>>,
    /// Instance types with their properties and prices, cheapest first.
    #[attr(computed)]
    pub instance_types: Value<List<InstanceType>>,
}

/// A range of memory sizes.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Range {
    /// Minimum in GiB, inclusive. Defaults to no minimum.
    #[attr(optional)]
    pub min: Value<Number>,
    /// Maximum in GiB, inclusive. Defaults to no maximum.
    #[attr(optional)]
    pub max: Value<Number>,
}

/// An instance type.
#[derive(Clone, Default, PartialEq, Object)]
pub struct InstanceType {
    /// Name of the instance type.
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
    /// Availability zones that offer the instance type.
    #[attr(computed)]
    pub availability_zones: Value<List<String>>,
}
