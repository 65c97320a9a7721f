//! The node group as desired, fully resolved, and as observed.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_eks::types::Nodegroup;
use tfplugin::framework::value::{known_list, known_map};
use tfplugin::framework::{Number, Value};

use super::autoscaler_tags::{self, Effect, NodeTemplate, ScaleDownOptions, Taint};
use super::schema::{self, NodeGroup, known_set};

/// The settings to request from EKS. The operation determines the name, the subnets and the ARN of the role.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Desired {
    pub(super) cluster_name: String,
    pub(super) capacity_type: String,
    pub(super) instance_types: Vec<String>,
    pub(super) min_size: i32,
    pub(super) max_size: i32,
    /// `None` if it is not set: the group then starts with its minimum size.
    pub(super) desired_size: Option<i32>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) taints: Vec<Taint>,
    pub(super) remote_access: Option<RemoteAccess>,
    pub(super) ami_type: Option<String>,
    pub(super) disk_size: Option<i32>,
    pub(super) version: Option<String>,
    pub(super) release_version: Option<String>,
    pub(super) launch_template: Option<LaunchTemplate>,
    pub(super) update_config: Option<UpdateConfig>,
    pub(super) node_repair: bool,
    /// Including the `default_tags` of the provider.
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RemoteAccess {
    pub(super) ec2_ssh_key: Option<String>,
    pub(super) source_security_groups: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LaunchTemplate {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct UpdateConfig {
    pub(super) max_unavailable: Option<i32>,
    pub(super) max_unavailable_percentage: Option<i32>,
    pub(super) update_strategy: Option<String>,
}

/// The observed node group.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) group: Nodegroup,
    /// `None` if the identity is not allowed to read them: they stay as recorded.
    pub(super) asgs: Option<Vec<AutoScalingGroup>>,
}

impl Desired {
    /// The settings of a plan or a state. Unknown values are omitted: EKS chooses them.
    pub(super) fn of(model: &NodeGroup) -> Self {
        Self {
            cluster_name: text(&model.cluster_name).unwrap_or_default(),
            capacity_type: text(&model.capacity_type).unwrap_or_default(),
            instance_types: known_list(&model.instance_types).unwrap_or_default(),
            min_size: number(&model.min_size).unwrap_or_default(),
            max_size: number(&model.max_size).unwrap_or_default(),
            desired_size: number(&model.desired_size),
            labels: known_map(&model.labels).unwrap_or_default(),
            taints: taints(&model.taints).unwrap_or_default(),
            remote_access: model.remote_access.known().map(|access| RemoteAccess {
                ec2_ssh_key: text(&access.ec2_ssh_key),
                source_security_groups: known_set(&access.source_security_group_ids).unwrap_or_default(),
            }),
            ami_type: text(&model.ami_type),
            disk_size: number(&model.disk_size),
            version: text(&model.version),
            release_version: text(&model.release_version),
            launch_template: launch_template(model),
            update_config: model.update_config.known().map(|update| UpdateConfig {
                max_unavailable: number(&update.max_unavailable),
                max_unavailable_percentage: number(&update.max_unavailable_percentage),
                update_strategy: text(&update.update_strategy),
            }),
            node_repair: model.node_repair.or(false),
            tags: known_map(&model.tags_all).unwrap_or_default(),
        }
    }

    /// Number of nodes at creation, within the bounds.
    pub(super) fn initial_size(&self) -> i32 {
        self.desired_size.unwrap_or_default().clamp(self.min_size, self.max_size.max(self.min_size))
    }
}

/// The configured template, or the one that the provider created.
fn launch_template(model: &NodeGroup) -> Option<LaunchTemplate> {
    match (&model.launch_template, &model.template_id) {
        (Value::Known(template), _) => Some(LaunchTemplate {
            id: text(&template.id),
            name: text(&template.name),
            version: text(&template.version),
        }),
        (Value::Null, Value::Known(id)) => {
            Some(LaunchTemplate { id: Some(id.clone()), name: None, version: text(&model.template_version) })
        }
        _ => None,
    }
}

/// The taints without unknown values; `None` while one of them is unknown. Taints that validation refuses are omitted.
pub(super) fn taints(taints: &Value<tfplugin::framework::Set<schema::Taint>>) -> Option<Vec<Taint>> {
    let taints = match taints {
        Value::Unknown => return None,
        Value::Null => return Some(Vec::new()),
        Value::Known(taints) => taints,
    };
    let unknown =
        |taint: &schema::Taint| taint.key.is_unknown() || taint.value.is_unknown() || taint.effect.is_unknown();
    if taints.has_unknown() || taints.iter().filter_map(Value::known).any(unknown) {
        return None;
    }
    let plain = |taint: &schema::Taint| {
        Some(Taint {
            key: text(&taint.key)?,
            value: text(&taint.value).unwrap_or_default(),
            effect: Effect::parse(taint.effect.as_str()?)?,
        })
    };
    Some(taints.iter().filter_map(Value::known).filter_map(plain).collect())
}

/// The managed tags of the Auto Scaling Group; `None` while they are unknown.
pub(super) fn desired_asg_tags(model: &NodeGroup) -> Option<BTreeMap<String, String>> {
    let mut tags = derived_asg_tags(model)?;
    tags.extend(known_map(&model.asg_tags)?);
    Some(tags)
}

/// The managed tags that the autoscaler reads; `None` while they are unknown.
pub(super) fn derived_asg_tags(model: &NodeGroup) -> Option<BTreeMap<String, String>> {
    let autoscaler = match &model.autoscaler {
        Value::Unknown => return None,
        Value::Null => schema::Autoscaler { tags: true.into(), ..schema::Autoscaler::default() },
        Value::Known(autoscaler) => autoscaler.clone(),
    };
    match autoscaler.tags {
        Value::Unknown => return None,
        Value::Known(false) => return Some(BTreeMap::new()),
        Value::Null | Value::Known(true) => {}
    }
    let options = match &autoscaler.options {
        Value::Unknown => return None,
        Value::Null => ScaleDownOptions::default(),
        Value::Known(options) => scale_down_options(options)?,
    };
    let capacity_type = match &model.capacity_type {
        Value::Unknown => return None,
        // The default of the schema, which a configuration does not have yet.
        Value::Null => "SPOT".to_owned(),
        Value::Known(capacity_type) => capacity_type.clone(),
    };
    Some(autoscaler_tags::autoscaler_tags(&NodeTemplate {
        labels: known_map(&model.labels)?,
        taints: taints(&model.taints)?,
        capacity_type: Some(capacity_type),
        resources: known_map(&autoscaler.resources)?,
        options,
    }))
}

fn scale_down_options(options: &schema::AutoscalerOptions) -> Option<ScaleDownOptions> {
    let schema::AutoscalerOptions {
        scale_down_utilization_threshold: utilization,
        scale_down_gpu_utilization_threshold: gpu_utilization,
        scale_down_unneeded_time: unneeded,
        scale_down_unready_time: unready,
        ignore_daemonsets_utilization: ignore,
    } = options;
    let unknown = [utilization.is_unknown(), gpu_utilization.is_unknown(), unneeded.is_unknown(), unready.is_unknown()];
    if unknown.contains(&true) || ignore.is_unknown() {
        return None;
    }
    Some(ScaleDownOptions {
        utilization_threshold: utilization.known().map(Number::as_f64),
        gpu_utilization_threshold: gpu_utilization.known().map(Number::as_f64),
        unneeded_time: text(unneeded),
        unready_time: text(unready),
        ignore_daemonsets_utilization: ignore.known().copied(),
    })
}

fn text(value: &Value<String>) -> Option<String> {
    value.known().cloned()
}

fn number(value: &Value<i64>) -> Option<i32> {
    value.known().map(|number| i32::try_from(*number).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfplugin::framework::value::Map;

    fn map(pairs: &[(&str, &str)]) -> Value<Map<String>> {
        Value::Known(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    }

    #[test]
    fn the_first_size_is_within_bounds() {
        let size = |min_size, max_size, desired_size| {
            Desired { min_size, max_size, desired_size, ..Desired::default() }.initial_size()
        };
        assert_eq!([size(0, 5, None), size(2, 5, Some(0)), size(0, 5, Some(3)), size(0, 2, Some(9))], [0, 2, 3, 2]);
    }

    #[test]
    fn asg_tags_are_known_as_soon_as_their_parts_are() {
        let mut model = NodeGroup {
            capacity_type: "SPOT".into(),
            labels: map(&[("intent", "build")]),
            asg_tags: map(&[("team", "ci")]),
            ..NodeGroup::default()
        };
        let all = desired_asg_tags(&model).unwrap();
        let keys: Vec<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "k8s.io/cluster-autoscaler/node-template/label/eks.amazonaws.com/capacityType",
                "k8s.io/cluster-autoscaler/node-template/label/intent",
                "team",
            ]
        );
        model.taints = Value::Unknown;
        assert_eq!(desired_asg_tags(&model), None);
        model.autoscaler = Value::Known(schema::Autoscaler { tags: false.into(), ..schema::Autoscaler::default() });
        assert_eq!(desired_asg_tags(&model), Some(BTreeMap::from([("team".to_owned(), "ci".to_owned())])));
    }
}
