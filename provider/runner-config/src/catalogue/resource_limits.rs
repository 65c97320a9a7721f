//! CPU, memory and ephemeral storage of the job pod's containers, and of the whole pod.

use super::*;

macro_rules! amount {
    ($prefix:literal, $resource:literal, $bound:literal, $whose:literal) => {
        text(
            concat!($prefix, $resource, "_", $bound),
            concat!("`", $resource, "` ", $bound, " of ", $whose, ", as a Kubernetes quantity."),
        )
    };
}

macro_rules! overwrite {
    ($prefix:literal, $resource:literal, $bound:literal, $whose:literal) => {
        text(
            concat!($prefix, $resource, "_", $bound, "_overwrite_max_allowed"),
            concat!("Maximum `", $resource, "` ", $bound, " of ", $whose, " that a job can set."),
        )
    };
}

macro_rules! container {
    ($name:ident, $prefix:literal, $whose:literal) => {
        pub(super) static $name: &[Key] = &[
            amount!($prefix, "cpu", "limit", $whose),
            overwrite!($prefix, "cpu", "limit", $whose),
            amount!($prefix, "cpu", "request", $whose),
            overwrite!($prefix, "cpu", "request", $whose),
            amount!($prefix, "memory", "limit", $whose),
            overwrite!($prefix, "memory", "limit", $whose),
            amount!($prefix, "memory", "request", $whose),
            overwrite!($prefix, "memory", "request", $whose),
            amount!($prefix, "ephemeral_storage", "limit", $whose),
            overwrite!($prefix, "ephemeral_storage", "limit", $whose),
            amount!($prefix, "ephemeral_storage", "request", $whose),
            overwrite!($prefix, "ephemeral_storage", "request", $whose),
        ];
    };
}

container!(BUILD, "", "the build container");
container!(SERVICE, "service_", "each service container");
container!(HELPER, "helper_", "the helper container");

/// Pod-level resources. Kubernetes has no ephemeral storage at the pod level.
pub(super) static POD: &[Key] = &[
    amount!("pod_", "cpu", "limit", "the whole pod").since(18, 10),
    overwrite!("pod_", "cpu", "limit", "the whole pod").since(18, 10),
    amount!("pod_", "cpu", "request", "the whole pod").since(18, 10),
    overwrite!("pod_", "cpu", "request", "the whole pod").since(18, 10),
    amount!("pod_", "memory", "limit", "the whole pod").since(18, 10),
    overwrite!("pod_", "memory", "limit", "the whole pod").since(18, 10),
    amount!("pod_", "memory", "request", "the whole pod").since(18, 10),
    overwrite!("pod_", "memory", "request", "the whole pod").since(18, 10),
];
