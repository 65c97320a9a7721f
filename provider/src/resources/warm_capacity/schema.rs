//! The attributes of `gitlabspot_warm_capacity`.

use crate::framework::value::{List, Map};
use crate::framework::{Object, Timeouts, Value};

/// Placeholders for jobs to come.
#[derive(Clone, Default, PartialEq, Object)]
pub struct WarmCapacity {
    /// `namespace/name`.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// Name of the Deployment or CronJob: up to 52 small letters, digits and hyphens.
    #[attr(required, replace)]
    pub name: Value<String>,
    /// Namespace of the placeholders, which has to exist.
    #[attr(required, replace)]
    pub namespace: Value<String>,
    /// Name of the EKS cluster; the provider's `kubernetes` settings unless set.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Number of places for a job that are kept.
    #[attr(required)]
    pub pods: Value<i64>,
    /// Size and place of one job pod, for instance `gitlabspot_runner_release.ci.job_pod`.
    #[attr(required)]
    pub pod: Value<Pod>,
    /// When placeholders are kept; always unless set.
    #[attr(optional)]
    pub schedule: Value<Schedule>,
    /// Priority of the placeholders. Pods of a higher one take their place at once; without a priority class a pod has 0.
    /// The cluster autoscaler makes no room for pods below -10, unless its `--expendable-pods-priority-cutoff` is changed.
    #[attr(optional, default = -10)]
    pub priority: Value<i64>,
    /// Image of the placeholders, which does nothing.
    #[attr(optional, default = "registry.k8s.io/pause:3.10")]
    pub pause_image: Value<String>,
    /// How long operations may take: 5 minutes each.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// Priority class of the placeholders. It is made when it is not there, and removed with the last that use it.
    #[attr(computed)]
    pub priority_class_name: Value<String>,
    /// Every object as it is applied, in JSON, by kind, namespace and name. After a change by hand it shows what is there
    /// instead, so that the plan shows what is repaired.
    #[attr(computed)]
    pub manifest: Value<Map<String>>,
}

/// Size and place of one job pod. It requests CPU, memory or both, or it would keep no room.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Pod {
    /// CPU, such as `2` or `500m`.
    #[attr(optional)]
    pub cpu: Value<String>,
    /// Memory, such as `8Gi`.
    #[attr(optional)]
    pub memory: Value<String>,
    /// Ephemeral storage, such as `20Gi`.
    #[attr(optional)]
    pub ephemeral_storage: Value<String>,
    /// Labels that its node must have.
    #[attr(optional)]
    pub node_selector: Value<Map<String>>,
    /// Taints that it tolerates.
    #[attr(optional)]
    pub tolerations: Value<List<Toleration>>,
}

/// A toleration, as Kubernetes defines it.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Toleration {
    /// Key of the taint; all of them unless set.
    #[attr(optional)]
    pub key: Value<String>,
    /// `Equal` or `Exists`; `Equal` unless set.
    #[attr(optional)]
    pub operator: Value<String>,
    /// Value of the taint.
    #[attr(optional)]
    pub value: Value<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; all of them unless set.
    #[attr(optional)]
    pub effect: Value<String>,
}

/// Periods in which placeholders are kept. All of them are of one length, by the clock on the wall.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Schedule {
    /// Start of a period as a cron expression of five fields, such as `0 8 * * MON-FRI`.
    #[attr(required)]
    pub start: Value<String>,
    /// End of a period likewise, such as `0 18 * * MON-FRI`: the first that follows a start.
    #[attr(required)]
    pub end: Value<String>,
    /// Time zone of both, such as `Africa/Johannesburg`.
    #[attr(optional, default = "UTC")]
    pub time_zone: Value<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::conformance::check_schema;
    use crate::framework::schema::Schema as AnySchema;

    #[test]
    fn core_accepts_the_schema() {
        assert_eq!(check_schema(&AnySchema::of::<WarmCapacity>(0, "")), []);
    }
}
