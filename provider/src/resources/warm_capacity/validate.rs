//! Validates a configuration without any request.

use tfplugin::framework::{AttributePath, Diagnostic, Diagnostics, Timeouts, Value};

use super::schedule;
use super::schema::{Pod, Schedule, Toleration, WarmCapacity};
use crate::quantity::Quantity;

/// Maximum length of the name of a CronJob: the names of its Jobs have eleven more characters.
const LONGEST_NAME: usize = 52;

/// Highest priority of users: Kubernetes reserves higher ones.
const HIGHEST_PRIORITY: i64 = 1_000_000_000;

/// The cluster autoscaler adds no nodes for pods with a lower priority, unless it is configured otherwise.
const CUTOFF: i64 = -10;

pub(super) fn check(config: &WarmCapacity, diagnostics: &mut Diagnostics) {
    Timeouts::validate(&config.timeouts, diagnostics);
    name("name", &config.name, LONGEST_NAME, diagnostics);
    name("namespace", &config.namespace, 63, diagnostics);
    if config.pods.known().is_some_and(|pods| !(1..=i64::from(i32::MAX)).contains(pods)) {
        let detail = "The number of pods must be at least 1. To keep none, remove the resource, or set count = 0.";
        diagnostics.error("pods", "Invalid number of pods", detail);
    }
    if let Value::Known(the_pod) = &config.pod {
        pod(the_pod, diagnostics);
    }
    if let Value::Known(the_schedule) = &config.schedule {
        periods(the_schedule, diagnostics);
    }
    if let Some(priority) = config.priority.known()
        && !(i64::from(i32::MIN)..=HIGHEST_PRIORITY).contains(priority)
    {
        let detail = format!("The priority must be between {} and {HIGHEST_PRIORITY}.", i32::MIN);
        diagnostics.error("priority", "Invalid priority", detail);
    }
    if config.pause_image.as_str().is_some_and(|image| image.trim().is_empty()) {
        diagnostics.error(
            "pause_image",
            "Invalid image",
            "The image must not be empty. Omit it for the default image.",
        );
    }
}

/// Warnings about priorities that are valid but probably not intended.
pub(super) fn warnings(planned: &WarmCapacity) -> Vec<Diagnostic> {
    let warning = |detail: String| vec![Diagnostic::warning("Unusual priority", detail).at("priority")];
    match planned.priority.known() {
        Some(priority @ 0..) => warning(format!(
            "A pod without a priority class has priority 0, so that jobs do not preempt placeholder pods with the \
             priority {priority}. Set a negative priority here, or a higher priority class for jobs."
        )),
        Some(priority) if *priority < CUTOFF => warning(format!(
            "The cluster autoscaler does not add nodes for pods with a priority below {CUTOFF}, such as {priority}, \
             unless its --expendable-pods-priority-cutoff is lower."
        )),
        _ => Vec::new(),
    }
}

fn name(attribute: &'static str, value: &Value<String>, longest: usize, diagnostics: &mut Diagnostics) {
    let fits = |name: &str| {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_framed = name.starts_with('-') || name.ends_with('-');
        (1..=longest).contains(&name.len()) && name.chars().all(is_allowed) && !is_framed
    };
    if let Some(name) = value.as_str()
        && !fits(name)
    {
        let detail = format!(
            "{name:?} is not a valid name. Use 1 to {longest} lowercase letters, digits and hyphens, without a hyphen \
             at the beginning or end."
        );
        diagnostics.error(attribute, "Invalid name", detail);
    }
}

fn pod(pod: &Pod, diagnostics: &mut Diagnostics) {
    let path = AttributePath::of("pod");
    for (name, amount) in [("cpu", &pod.cpu), ("memory", &pod.memory), ("ephemeral_storage", &pod.ephemeral_storage)] {
        if let Some(text) = amount.as_str()
            && Quantity::parse(text).is_none_or(Quantity::is_zero)
        {
            diagnostics.error(
                path.attribute(name),
                "Invalid quantity",
                format!(
                    "{text:?} is not a quantity. Write a number with a Kubernetes unit, for example \"500m\" or \
                    \"8Gi\"."
                ),
            );
        }
    }
    if pod.cpu.is_null() && pod.memory.is_null() {
        let detail = "Placeholder pods without requests for CPU or memory fit on every node and do not reserve \
                      capacity. Specify the requests of a job pod; if they come from job_pod of a runner release, set \
                      cpu_request or memory_request in its config.kubernetes.";
        diagnostics.error(path.clone(), "Missing argument", detail);
    }
    let Value::Known(tolerations) = &pod.tolerations else { return };
    for (index, toleration) in tolerations.iter().enumerate() {
        if let Value::Known(toleration) = toleration {
            tolerated(toleration, &path.attribute("tolerations").index(index), diagnostics);
        }
    }
}

fn tolerated(toleration: &Toleration, path: &AttributePath, diagnostics: &mut Diagnostics) {
    const INVALID: &str = "Invalid toleration";
    let mut choice = |name: &str, value: &Value<String>, choices: &[&str]| {
        if let Some(value) = value.as_str()
            && !choices.contains(&value)
        {
            let detail = format!("{value:?} is not supported. Use one of: {}.", choices.join(", "));
            diagnostics.error(path.attribute(name), INVALID, detail);
        }
    };
    choice("operator", &toleration.operator, &["Equal", "Exists"]);
    choice("effect", &toleration.effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
    let exists = toleration.operator.as_str() == Some("Exists");
    if exists && toleration.value.as_str().is_some_and(|value| !value.is_empty()) {
        diagnostics.error(
            path.attribute("value"),
            INVALID,
            "A toleration with the operator Exists must not have a \
            value.",
        );
    }
    if toleration.key.is_null() && !exists && !toleration.operator.is_unknown() {
        let detail = "A toleration without a key matches all taints, and must have the operator Exists.";
        diagnostics.error(path.attribute("operator"), INVALID, detail);
    }
}

fn periods(schedule: &Schedule, diagnostics: &mut Diagnostics) {
    let zone = match &schedule.time_zone {
        // The default of the schema, which a configuration does not have yet.
        Value::Null => Some("UTC"),
        zone => zone.as_str(),
    };
    let (Some(start), Some(end), Some(zone)) = (schedule.start.as_str(), schedule.end.as_str(), zone) else { return };
    let problems = schedule::Schedule::new(start, end, zone).err().unwrap_or_default();
    for problem in problems {
        diagnostics.error(AttributePath::of("schedule").attribute(problem.attribute), problem.summary, problem.detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> WarmCapacity {
        let pod = Pod { cpu: "2".into(), memory: "8Gi".into(), ..Pod::default() };
        WarmCapacity {
            name: "warm".into(),
            namespace: "ci".into(),
            pods: 2.into(),
            pod: Value::Known(pod),
            ..WarmCapacity::default()
        }
    }

    fn with_pod(change: impl FnOnce(&mut Pod)) -> WarmCapacity {
        let mut pod = config().pod.into_known().unwrap();
        change(&mut pod);
        WarmCapacity { pod: Value::Known(pod), ..config() }
    }

    fn problems(config: &WarmCapacity) -> Vec<(String, String)> {
        let mut diagnostics = Diagnostics::new();
        check(config, &mut diagnostics);
        diagnostics.iter().map(|found| (found.path.to_string(), found.summary.to_string())).collect()
    }

    fn found(path: &str, summary: &str) -> Vec<(String, String)> {
        vec![(path.to_owned(), summary.to_owned())]
    }

    #[test]
    fn names_numbers_and_images() {
        assert_eq!(problems(&config()), []);
        assert_eq!(problems(&WarmCapacity { name: "a".repeat(52).into(), ..config() }), []);
        let long = WarmCapacity { name: "a".repeat(53).into(), ..config() };
        assert_eq!(problems(&long), found("name", "Invalid name"));
        let namespace = WarmCapacity { namespace: "CI".into(), ..config() };
        assert_eq!(problems(&namespace), found("namespace", "Invalid name"));
        assert_eq!(problems(&WarmCapacity { pods: 0.into(), ..config() }), found("pods", "Invalid number of pods"));
        let priority = WarmCapacity { priority: 2_000_000_000.into(), ..config() };
        assert_eq!(problems(&priority), found("priority", "Invalid priority"));
        assert_eq!(
            problems(&WarmCapacity { pause_image: "".into(), ..config() }),
            found("pause_image", "Invalid image")
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(problems(&with_pod(|pod| pod.cpu = Value::Null)), []);
        assert_eq!(problems(&with_pod(|pod| pod.cpu = "two".into())), found("pod.cpu", "Invalid quantity"));
        assert_eq!(problems(&with_pod(|pod| pod.memory = "0".into())), found("pod.memory", "Invalid quantity"));
        let none = with_pod(|pod| (pod.cpu, pod.memory) = (Value::Null, Value::Null));
        assert_eq!(problems(&none), found("pod", "Missing argument"));
        assert_eq!(problems(&with_pod(|pod| (pod.cpu, pod.memory) = (Value::Null, Value::Unknown))), []);
    }

    #[test]
    fn tolerations() {
        let of = |toleration: Toleration| {
            problems(&with_pod(|pod| pod.tolerations = Value::Known(vec![Value::Known(toleration)])))
        };
        let toleration = Toleration { key: "build".into(), value: "true".into(), ..Toleration::default() };
        assert_eq!(of(toleration.clone()), []);
        let operator = Toleration { operator: "In".into(), ..toleration.clone() };
        assert_eq!(of(operator), found("pod.tolerations[0].operator", "Invalid toleration"));
        let effect = Toleration { effect: "NO_SCHEDULE".into(), ..toleration.clone() };
        assert_eq!(of(effect), found("pod.tolerations[0].effect", "Invalid toleration"));
        let value = Toleration { operator: "Exists".into(), ..toleration.clone() };
        assert_eq!(of(value), found("pod.tolerations[0].value", "Invalid toleration"));
        let key = Toleration { key: Value::Null, ..toleration };
        assert_eq!(of(key), found("pod.tolerations[0].operator", "Invalid toleration"));
    }

    #[test]
    fn schedules() {
        let of = |start: &str, time_zone: Value<String>| {
            let schedule = Schedule { start: start.into(), end: "0 18 * * *".into(), time_zone };
            problems(&WarmCapacity { schedule: Value::Known(schedule), ..config() })
        };
        assert_eq!(of("0 8 * * *", Value::Null), []);
        assert_eq!(of("0 8 * *", Value::Null), found("schedule.start", "Invalid schedule"));
        assert_eq!(of("0 8 * * *", "Mars".into()), found("schedule.time_zone", "Invalid time zone"));
        assert_eq!(of("0 8 * *", Value::Unknown), []);
    }

    #[test]
    fn unsuitable_priorities_are_refused() {
        let of = |priority: i64| {
            warnings(&WarmCapacity { priority: priority.into(), ..config() })
                .into_iter()
                .map(|warning| warning.detail)
                .collect::<Vec<_>>()
        };
        assert_eq!((of(-10), of(-1)), (vec![], vec![]));
        assert!(of(0)[0].contains("jobs do not preempt"), "{:?}", of(0));
        assert!(of(-11)[0].contains("--expendable-pods-priority-cutoff"), "{:?}", of(-11));
    }
}
