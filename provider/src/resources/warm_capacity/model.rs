//! The placeholders as desired, fully resolved, and as observed.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use tfplugin::framework::value::{known_list, known_map};
use tfplugin::framework::{Diagnostic, Value};

use super::schedule;
use super::schema::{Pod, Schedule, Toleration, WarmCapacity};
use crate::objects;

/// The desired placeholders.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Desired {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) pods: i64,
    /// Quantities by the names of resources in the API.
    pub(super) requests: BTreeMap<&'static str, String>,
    pub(super) node_selector: BTreeMap<String, String>,
    /// As in the API.
    pub(super) tolerations: Vec<Json>,
    pub(super) schedule: Option<schedule::Schedule>,
    pub(super) priority: i64,
    pub(super) image: String,
}

/// The observed placeholders.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) objects: objects::Observed,
    /// The warning that the current period has no placeholders.
    pub(super) lacking: Option<Diagnostic>,
}

impl Desired {
    /// Resolves valid attributes; `None` while one of them is unknown.
    pub(super) fn of(model: &WarmCapacity) -> Option<Self> {
        let pod = model.pod.known()?;
        let tolerations = known_list(&pod.tolerations)?;
        Some(Self {
            name: model.name.known()?.clone(),
            namespace: model.namespace.known()?.clone(),
            pods: *model.pods.known()?,
            requests: requests(pod)?,
            node_selector: known_map(&pod.node_selector)?,
            tolerations: tolerations.iter().map(toleration).collect::<Option<_>>()?,
            schedule: match &model.schedule {
                Value::Null => None,
                Value::Unknown => return None,
                Value::Known(schedule) => Some(checked(schedule)?),
            },
            priority: *model.priority.known()?,
            image: model.pause_image.known()?.clone(),
        })
    }

    /// Name of the PriorityClass. It is derived from the priority, so that all placeholders with the same priority
    /// share a class.
    pub(super) fn priority_class_name(&self) -> String {
        priority_class_name(self.priority)
    }
}

const CLASS_PREFIX: &str = "gitlabspot-placeholder-";
const MINUS: &str = "minus-";

pub(super) fn priority_class_name(priority: i64) -> String {
    let sign = if priority < 0 { MINUS } else { "" };
    format!("{CLASS_PREFIX}{sign}{}", priority.unsigned_abs())
}

/// The priority from which the name of a class was derived.
pub(super) fn priority_of_class(name: &str) -> Option<i64> {
    let value = name.strip_prefix(CLASS_PREFIX)?;
    match value.strip_prefix(MINUS) {
        Some(value) => value.parse::<i64>().ok().map(|value| -value),
        None => value.parse().ok(),
    }
}

fn requests(pod: &Pod) -> Option<BTreeMap<&'static str, String>> {
    let mut requests = BTreeMap::new();
    for (name, amount) in [("cpu", &pod.cpu), ("memory", &pod.memory), ("ephemeral-storage", &pod.ephemeral_storage)] {
        match amount {
            Value::Unknown => return None,
            Value::Null => {}
            Value::Known(amount) => drop(requests.insert(name, amount.clone())),
        }
    }
    Some(requests)
}

fn toleration(toleration: &Toleration) -> Option<Json> {
    let mut fields = Map::new();
    for (name, value) in [
        ("key", &toleration.key),
        ("operator", &toleration.operator),
        ("value", &toleration.value),
        ("effect", &toleration.effect),
    ] {
        match value {
            Value::Unknown => return None,
            Value::Null => {}
            Value::Known(value) => drop(fields.insert(name.to_owned(), json!(value))),
        }
    }
    Some(Json::Object(fields))
}

fn checked(schedule: &Schedule) -> Option<schedule::Schedule> {
    let (start, end, zone) = (schedule.start.as_str()?, schedule.end.as_str()?, schedule.time_zone.as_str()?);
    schedule::Schedule::new(start, end, zone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_class_name_contains_its_value() {
        for (value, name) in [(-10, "gitlabspot-placeholder-minus-10"), (7, "gitlabspot-placeholder-7")] {
            assert_eq!(priority_class_name(value), name);
            assert_eq!(priority_of_class(name), Some(value));
        }
        assert_eq!(priority_of_class("system-node-critical"), None);
    }

    #[test]
    fn unknown_parts_make_all_of_it_unknown() {
        let pod = Pod { cpu: "2".into(), ..Pod::default() };
        let model = WarmCapacity {
            name: "warm".into(),
            namespace: "ci".into(),
            pods: 2.into(),
            pod: Value::Known(pod.clone()),
            priority: (-10).into(),
            pause_image: "pause".into(),
            ..WarmCapacity::default()
        };
        assert_eq!(Desired::of(&model).unwrap().requests, [("cpu", "2".to_owned())].into());
        for unknown in [Pod { memory: Value::Unknown, ..pod.clone() }, Pod { tolerations: Value::Unknown, ..pod }] {
            assert_eq!(Desired::of(&WarmCapacity { pod: Value::Known(unknown), ..model.clone() }), None);
        }
        assert_eq!(Desired::of(&WarmCapacity { schedule: Value::Unknown, ..model }), None);
    }
}
