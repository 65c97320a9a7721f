//! How much room a whole job pod takes, and where it may go.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::{Table, Value};

use super::super::inputs::Toleration;
use super::Quantity;

/// The shape of `gitlabspot_warm_capacity.pod`. Amounts are Kubernetes quantities; unset ones are
/// requested by no container.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobPod {
    pub cpu: Option<String>,
    pub memory: Option<String>,
    pub ephemeral_storage: Option<String>,
    pub node_selector: BTreeMap<String, String>,
    pub tolerations: Vec<Toleration>,
}

/// Adds up the build container, the helper and `services` service containers of
/// `[runners.kubernetes]`.
///
/// A container without a request gets its limit for one, as Kubernetes does it. A request of the
/// whole pod replaces the sum.
pub fn job_pod(kubernetes: &Table, services: usize) -> JobPod {
    let listed = kubernetes.get("services").and_then(Value::as_array).map_or(0, Vec::len);
    let services = services.max(listed);
    let amount = |resource: &str| sum(kubernetes, resource, services);
    JobPod {
        cpu: amount("cpu").map(Quantity::as_cpu),
        memory: amount("memory").map(Quantity::as_bytes),
        ephemeral_storage: amount("ephemeral_storage").map(Quantity::as_bytes),
        node_selector: node_selector(kubernetes),
        tolerations: tolerations(kubernetes),
    }
}

fn sum(kubernetes: &Table, resource: &str, services: usize) -> Option<Quantity> {
    let of = |prefix: &str| {
        ["request", "limit"].iter().find_map(|bound| {
            let amount = kubernetes.get(&format!("{prefix}{resource}_{bound}"))?.as_str()?;
            Quantity::parse(amount)
        })
    };
    if let Some(whole) = of("pod_") {
        return Some(whole);
    }
    let parts = [of(""), of("helper_"), of("service_").map(|one| one.times(services))];
    parts.into_iter().flatten().reduce(Quantity::plus).filter(|sum| !sum.is_zero())
}

/// `node_selector`, and what a required affinity of one term says with one value.
fn node_selector(kubernetes: &Table) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let terms =
        ["affinity", "node_affinity", "required_during_scheduling_ignored_during_execution", "node_selector_terms"]
            .into_iter()
            .try_fold(Value::Table(kubernetes.clone()), |value, name| value.get(name).cloned());
    if let Some([term]) = terms.as_ref().and_then(Value::as_array).map(Vec::as_slice) {
        let expressions = term.get("match_expressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            let text = |name: &str| expression.get(name).and_then(Value::as_str);
            let values = expression.get("values").and_then(Value::as_array).map(Vec::as_slice);
            if let (Some(label), Some("In"), Some([Value::String(value)])) = (text("key"), text("operator"), values) {
                labels.insert(label.to_owned(), value.clone());
            }
        }
    }
    for (label, value) in kubernetes.get("node_selector").and_then(Value::as_table).into_iter().flatten() {
        labels.insert(label.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    labels
}

fn tolerations(kubernetes: &Table) -> Vec<Toleration> {
    let map = kubernetes.get("node_tolerations").and_then(Value::as_table);
    let read = map.into_iter().flatten().map(|(taint, effect)| {
        let effect = effect.as_str().filter(|effect| !effect.is_empty()).map(str::to_owned);
        match taint.split_once('=') {
            Some((key, value)) => Toleration {
                key: Some(key.to_owned()),
                operator: Some("Equal".to_owned()),
                value: Some(value.to_owned()),
                effect,
            },
            None => Toleration {
                key: Some(taint.clone()).filter(|key| !key.is_empty()),
                operator: Some("Exists".to_owned()),
                value: None,
                effect,
            },
        }
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toleration(key: &str, operator: &str, value: Option<&str>, effect: Option<&str>) -> Toleration {
        Toleration {
            key: Some(key.into()),
            operator: Some(operator.into()),
            value: value.map(Into::into),
            effect: effect.map(Into::into),
        }
    }

    #[test]
    fn adds_build_helper_and_services() {
        let kubernetes = toml::toml! {
            cpu_request = "2"
            cpu_limit = "4"
            memory_limit = "8Gi"
            helper_cpu_request = "250m"
            helper_memory_request = "512Mi"
            service_cpu_request = "500m"
            service_ephemeral_storage_request = "10Gi"
            services = [{ name = "a" }, { name = "b" }]
            node_tolerations = { "buildInstance=true" = "NoSchedule", spot = "" }
            node_selector = { arch = "amd64" }
            [affinity.node_affinity.required_during_scheduling_ignored_during_execution]
            node_selector_terms = [{ match_expressions = [
                { key = "intent", operator = "In", values = ["build"] },
                { key = "zone", operator = "In", values = ["a", "b"] },
            ] }]
        };
        let expected = JobPod {
            cpu: Some("3250m".into()),
            memory: Some("8704Mi".into()),
            ephemeral_storage: Some("20Gi".into()),
            node_selector: [("arch", "amd64"), ("intent", "build")].map(|(k, v)| (k.into(), v.into())).into(),
            tolerations: vec![
                toleration("buildInstance", "Equal", Some("true"), Some("NoSchedule")),
                toleration("spot", "Exists", None, None),
            ],
        };
        assert_eq!(job_pod(&kubernetes, 1), expected);
    }

    #[test]
    fn the_pods_own_request_replaces_the_sum() {
        let kubernetes = toml::toml! { cpu_request = "2" pod_cpu_limit = "8" service_cpu_request = "1" };
        assert_eq!(job_pod(&kubernetes, 1).cpu.as_deref(), Some("8"));
        assert_eq!(job_pod(&kubernetes, 1).memory, None);
    }
}
