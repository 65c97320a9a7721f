//! The resources that a whole job pod requests, and the nodes on which it can run.

use tfplugin::framework::{self, AttributePath, Diagnostic};
use toml::{Table, Value};

use super::super::schema::{JobPod, JobPodToleration};
use super::Quantity;

/// Adds up the build container, the helper and `services` service containers of `[runners.kubernetes]`.
///
/// The limit of a container without a request is used as its request, as in Kubernetes. A request of the whole pod
/// replaces the sum.
pub fn job_pod(kubernetes: &Table, services: usize) -> JobPod {
    let listed = kubernetes.get("services").and_then(Value::as_array).map_or(0, Vec::len);
    let services = services.max(listed);
    let amount = |resource: &str| sum(kubernetes, resource, services);
    JobPod {
        cpu: amount("cpu").map(Quantity::as_cpu).into(),
        memory: amount("memory").map(Quantity::as_bytes).into(),
        ephemeral_storage: amount("ephemeral_storage").map(Quantity::as_bytes).into(),
        node_selector: framework::Value::Known(node_selector(kubernetes)),
        tolerations: framework::Value::Known(tolerations(kubernetes)),
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

/// Returns `node_selector`, and the labels of which a required affinity with one term allows one value.
fn node_selector(kubernetes: &Table) -> framework::value::Map<String> {
    let mut labels = framework::value::Map::new();
    if let Some([term]) = required_terms(kubernetes).as_deref() {
        let expressions = term.get("match_expressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            let text = |name: &str| expression.get(name).and_then(Value::as_str);
            let values = expression.get("values").and_then(Value::as_array).map(Vec::as_slice);
            if let (Some(label), Some("In"), Some([Value::String(value)])) = (text("key"), text("operator"), values) {
                labels.insert(label.to_owned(), value.as_str().into());
            }
        }
    }
    for (label, value) in kubernetes.get("node_selector").and_then(Value::as_table).into_iter().flatten() {
        labels.insert(label.clone(), value.as_str().unwrap_or_default().into());
    }
    labels
}

/// Returns a warning about required rules that a node selector cannot express.
pub(super) fn left_out(kubernetes: &Table) -> Option<Diagnostic> {
    let terms = required_terms(kubernetes)?;
    let rule = |requirement: &Value| {
        let text = |name: &str| requirement.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let values = requirement.get("values").and_then(Value::as_array).into_iter().flatten();
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        match (text("operator").as_str(), values.as_slice()) {
            ("In", [_]) => None,
            (operator, []) => Some(format!("{} {operator}", text("key"))),
            (operator, values) => Some(format!("{} {operator} [{}]", text("key"), values.join(", "))),
        }
    };
    let of = |term: &Value, name: &str| term.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let rules = match terms.as_slice() {
        [] => Vec::new(),
        [term] => {
            let fields =
                of(term, "match_fields").into_iter().filter_map(|it| Some(it.get("key")?.as_str()?.to_owned()));
            of(term, "match_expressions").iter().filter_map(rule).chain(fields).collect()
        }
        terms => vec![format!("{} alternative terms", terms.len())],
    };
    let detail = format!(
        "job_pod contains a node selector, which cannot represent these rules of the required node affinity: {}. \
         Placeholder pods of gitlabspot_warm_capacity with this job_pod may run on nodes that jobs cannot use. Label \
         the nodes of jobs with a value of their own and require that label, or do not use warm capacity.",
        rules.join("; ")
    );
    (!rules.is_empty()).then(|| {
        Diagnostic::warning("Node affinity rules not used by placeholders", detail)
            .at(AttributePath::dotted("config.kubernetes.affinity"))
    })
}

fn required_terms(kubernetes: &Table) -> Option<Vec<Value>> {
    let path =
        ["affinity", "node_affinity", "required_during_scheduling_ignored_during_execution", "node_selector_terms"];
    let [first, rest @ ..] = path;
    let terms = rest.into_iter().try_fold(kubernetes.get(first)?, |value, name| value.get(name))?;
    terms.as_array().cloned()
}

fn tolerations(kubernetes: &Table) -> framework::value::List<JobPodToleration> {
    let map = kubernetes.get("node_tolerations").and_then(Value::as_table);
    let read = map.into_iter().flatten().map(|(taint, effect)| {
        let effect = effect.as_str().filter(|effect| !effect.is_empty()).map(str::to_owned);
        let (key, operator, value) = match taint.split_once('=') {
            Some((key, value)) => (key.into(), "Equal", value.into()),
            None => (Some(taint.clone()).filter(|key| !key.is_empty()).into(), "Exists", framework::Value::Null),
        };
        framework::Value::Known(JobPodToleration { key, operator: operator.into(), value, effect: effect.into() })
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toleration(
        key: &str,
        operator: &str,
        value: Option<&str>,
        effect: Option<&str>,
    ) -> framework::Value<JobPodToleration> {
        framework::Value::Known(JobPodToleration {
            key: key.into(),
            operator: operator.into(),
            value: value.map(str::to_owned).into(),
            effect: effect.map(str::to_owned).into(),
        })
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
            cpu: "3250m".into(),
            memory: "8704Mi".into(),
            ephemeral_storage: "20Gi".into(),
            node_selector: framework::Value::Known(
                [("arch", "amd64"), ("intent", "build")].map(|(k, v)| (k.to_owned(), v.into())).into(),
            ),
            tolerations: framework::Value::Known(vec![
                toleration("buildInstance", "Equal", Some("true"), Some("NoSchedule")),
                toleration("spot", "Exists", None, None),
            ]),
        };
        assert_eq!(job_pod(&kubernetes, 1), expected);
    }

    #[test]
    fn affinity_without_an_equal_selector_is_reported() {
        let rules = |terms: &str| {
            let text = format!(
                "[affinity.node_affinity.required_during_scheduling_ignored_during_execution]\nnode_selector_terms = [{terms}]"
            );
            let detail = left_out(&text.parse().unwrap())?.detail;
            Some(detail.split("affinity: ").nth(1)?.split(". ").next()?.to_owned())
        };
        let plain = "{ match_expressions = [{ key = \"intent\", operator = \"In\", values = [\"build\"] }] }";
        assert_eq!(rules(plain), None);
        assert_eq!(left_out(&Table::new()), None);
        let zones = "{ key = \"zone\", operator = \"In\", values = [\"a\", \"b\"] }";
        let not = "{ key = \"old\", operator = \"DoesNotExist\" }";
        let several =
            format!("{{ match_expressions = [{zones}, {not}], match_fields = [{{ key = \"metadata.name\" }}] }}");
        assert_eq!(rules(&several).as_deref(), Some("zone In [a, b]; old DoesNotExist; metadata.name"));
        assert_eq!(rules(&format!("{plain}, {plain}")).as_deref(), Some("2 alternative terms"));
    }

    #[test]
    fn the_pods_own_request_replaces_the_sum() {
        let kubernetes = toml::toml! { cpu_request = "2" pod_cpu_limit = "8" service_cpu_request = "1" };
        assert_eq!(job_pod(&kubernetes, 1).cpu.as_str(), Some("8"));
        assert_eq!(job_pod(&kubernetes, 1).memory, framework::Value::Null);
    }
}
