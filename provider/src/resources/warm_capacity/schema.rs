//! The attributes of `gitlabspot_warm_capacity`.

use tfplugin::framework::value::{List, Map};
use tfplugin::framework::{Object, Timeouts, Value};

/// Reserved capacity for the next jobs.
#[derive(Clone, Default, PartialEq, Object)]
pub struct WarmCapacity {
    /// `namespace/name`, which is also the import ID.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// Name of the Deployment or CronJob: up to 52 lowercase letters, digits and hyphens.
    #[attr(required, replace)]
    pub name: Value<String>,
    /// Namespace of the placeholder pods. It must exist.
    #[attr(required, replace)]
    pub namespace: Value<String>,
    /// Name of the EKS cluster. Defaults to the provider's `kubernetes` settings. A change replaces the resource.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Number of placeholder pods, each of which reserves the capacity for one job pod.
    #[attr(required)]
    pub pods: Value<i64>,
    /// Resources and placement of one job pod, for example `gitlabspot_runner_release.ci.job_pod`.
    #[attr(required)]
    pub pod: Value<Pod>,
    /// Periods in which the capacity is reserved. Defaults to always.
    #[attr(optional)]
    pub schedule: Value<Schedule>,
    /// Priority of the placeholder pods. Pods with a higher priority preempt them; a pod without a priority class has
    /// priority 0. The cluster autoscaler ignores pods with a priority below -10, unless its
    /// `--expendable-pods-priority-cutoff` is changed.
    #[attr(optional, default = -10)]
    pub priority: Value<i64>,
    /// Image of the placeholder pods.
    #[attr(optional, default = "registry.k8s.io/pause:3.10")]
    pub pause_image: Value<String>,
    /// Timeouts of the operations. Each defaults to 5 minutes.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// Name of the PriorityClass of the placeholder pods. It is created if it does not exist, and deleted with the last
    /// warm capacity that uses it.
    #[attr(computed)]
    pub priority_class_name: Value<String>,
    /// Every object as it is applied, in JSON, by kind, namespace and name. After a change by others it shows the
    /// object in the cluster, so that the plan shows what is reverted.
    #[attr(computed)]
    pub manifest: Value<Map<String>>,
}

/// Resources and placement of one job pod. Without a request for CPU or memory it would reserve no capacity.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Pod {
    /// CPU request as a Kubernetes quantity, for example `2` or `500m`. At least one of `cpu` and `memory` is required.
    #[attr(optional)]
    pub cpu: Value<String>,
    /// Memory request as a Kubernetes quantity, for example `8Gi`. At least one of `cpu` and `memory` is required.
    #[attr(optional)]
    pub memory: Value<String>,
    /// Ephemeral storage request as a Kubernetes quantity, for example `20Gi`. Defaults to none.
    #[attr(optional)]
    pub ephemeral_storage: Value<String>,
    /// Labels that the node must have. Defaults to none.
    #[attr(optional)]
    pub node_selector: Value<Map<String>>,
    /// Tolerations of the pod. Defaults to none.
    #[attr(optional)]
    pub tolerations: Value<List<Toleration>>,
}

/// A toleration, as Kubernetes defines it.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Toleration {
    /// Key of the taint. Defaults to all keys.
    #[attr(optional)]
    pub key: Value<String>,
    /// Operator: `Equal` or `Exists`. Defaults to `Equal`.
    #[attr(optional)]
    pub operator: Value<String>,
    /// Value of the taint. Defaults to an empty value.
    #[attr(optional)]
    pub value: Value<String>,
    /// Effect of the taint: `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Defaults to all effects.
    #[attr(optional)]
    pub effect: Value<String>,
}

/// Periods in which placeholders are kept. All periods have the same local duration.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Schedule {
    /// Start of a period as a cron expression with five fields, for example `0 8 * * MON-FRI`.
    #[attr(required)]
    pub start: Value<String>,
    /// End of a period as a cron expression with five fields, for example `0 18 * * MON-FRI`. A period ends at the
    /// first end after its start.
    #[attr(required)]
    pub end: Value<String>,
    /// Time zone of `start` and `end`, for example `Africa/Johannesburg`.
    #[attr(optional, default = "UTC")]
    pub time_zone: Value<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfplugin::framework::conformance::check_schema;
    use tfplugin::framework::schema::Schema as AnySchema;

    #[test]
    fn core_accepts_the_schema() {
        assert_eq!(check_schema(&AnySchema::of::<WarmCapacity>(0, "")), []);
    }
}
