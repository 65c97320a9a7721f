//! Tags that describe the nodes of an empty group to the cluster autoscaler.
//!
//! They are computed from the properties of the nodes alone, for the resource and for
//! `provider::gitlabspot::autoscaler_tags`. The format is that of the AWS cloud provider of the autoscaler, which reads
//! the tags of the Auto Scaling Group.

use std::collections::BTreeMap;

/// Prefix of every key that describes a node.
pub(crate) const NODE_TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template/";

/// Label with the capacity type, which EKS sets on nodes.
pub(crate) const CAPACITY_TYPE_LABEL: &str = "eks.amazonaws.com/capacityType";

/// Maximum number of tags of an Auto Scaling Group.
pub(crate) const MAX_TAGS: usize = 50;

/// Number of tags that EKS sets: the names of cluster and node group, the ownership of the cluster, and two with which
/// the autoscaler discovers the group.
pub(crate) const TAGS_OF_EKS: usize = 5;

/// Properties of the nodes of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NodeTemplate {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) taints: Vec<Taint>,
    /// `SPOT` or `ON_DEMAND`.
    pub(crate) capacity_type: Option<String>,
    /// Resources that the autoscaler cannot derive from the instance type, by name.
    pub(crate) resources: BTreeMap<String, String>,
    /// Options of the autoscaler for this group.
    pub(crate) options: ScaleDownOptions,
}

/// A taint with its effect as Kubernetes writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Taint {
    pub(crate) key: String,
    /// Empty for a taint without a value.
    pub(crate) value: String,
    pub(crate) effect: Effect,
}

/// Effect of a taint on pods that do not tolerate it, in order of precedence: of several taints with one key the
/// autoscaler only reads one, which is that with the first of these effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    NoSchedule,
    NoExecute,
    PreferNoSchedule,
}

/// Options of the autoscaler for one group. `None` keeps the setting of its command line flag.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ScaleDownOptions {
    pub(crate) utilization_threshold: Option<f64>,
    pub(crate) gpu_utilization_threshold: Option<f64>,
    /// A duration in Go's notation.
    pub(crate) unneeded_time: Option<String>,
    /// A duration in Go's notation.
    pub(crate) unready_time: Option<String>,
    pub(crate) ignore_daemonsets_utilization: Option<bool>,
}

const UTILIZATION_THRESHOLD: &str = "scaledownutilizationthreshold";
const GPU_UTILIZATION_THRESHOLD: &str = "scaledowngpuutilizationthreshold";
const UNNEEDED_TIME: &str = "scaledownunneededtime";
const UNREADY_TIME: &str = "scaledownunreadytime";
const IGNORE_DAEMONSETS_UTILIZATION: &str = "ignoredaemonsetsutilization";

impl Effect {
    /// Parses both spellings: `NoSchedule` and `NO_SCHEDULE`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::NoSchedule, Self::NoExecute, Self::PreferNoSchedule]
            .into_iter()
            .find(|effect| text == effect.kubernetes() || text == effect.eks())
    }

    /// The spelling of Kubernetes and the autoscaler.
    pub(crate) fn kubernetes(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::NoExecute => "NoExecute",
            Self::PreferNoSchedule => "PreferNoSchedule",
        }
    }

    /// The spelling of the EKS API.
    pub(crate) fn eks(self) -> &'static str {
        match self {
            Self::NoSchedule => "NO_SCHEDULE",
            Self::NoExecute => "NO_EXECUTE",
            Self::PreferNoSchedule => "PREFER_NO_SCHEDULE",
        }
    }
}

/// The tags that describe such a node.
pub(crate) fn autoscaler_tags(template: &NodeTemplate) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let mut add = |kind: &str, name: &str, value: String| tags.insert(format!("{NODE_TEMPLATE}{kind}/{name}"), value);
    if let Some(capacity_type) = &template.capacity_type {
        add("label", CAPACITY_TYPE_LABEL, capacity_type.clone());
    }
    for (key, value) in &template.labels {
        add("label", key, value.clone());
    }
    let mut taints = template.taints.clone();
    // The key of the tag does not contain the effect: of several taints with one key the last one remains.
    taints.sort_by_key(|taint| std::cmp::Reverse(taint.effect));
    for Taint { key, value, effect } in taints {
        // Without the effect the autoscaler ignores the tag. For a taint without a value the tag is its only source: it
        // skips such taints in the response of EKS.
        add("taint", &key, format!("{value}:{}", effect.kubernetes()));
    }
    for (name, quantity) in &template.resources {
        add("resources", name, quantity.clone());
    }
    let ScaleDownOptions {
        utilization_threshold,
        gpu_utilization_threshold,
        unneeded_time,
        unready_time,
        ignore_daemonsets_utilization,
    } = &template.options;
    let options = [
        (UTILIZATION_THRESHOLD, utilization_threshold.map(|number| number.to_string())),
        (GPU_UTILIZATION_THRESHOLD, gpu_utilization_threshold.map(|number| number.to_string())),
        (UNNEEDED_TIME, unneeded_time.clone()),
        (UNREADY_TIME, unready_time.clone()),
        (IGNORE_DAEMONSETS_UTILIZATION, ignore_daemonsets_utilization.map(|flag| flag.to_string())),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            add("autoscaling-options", name, value);
        }
    }
    tags
}

/// Reads resources and options back from tags, for imports. Labels and taints are read from the node group.
pub(crate) fn from_tags(tags: &BTreeMap<String, String>) -> (BTreeMap<String, String>, ScaleDownOptions) {
    let under = |kind: &str| {
        let prefix = format!("{NODE_TEMPLATE}{kind}/");
        tags.iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone())))
            .collect::<BTreeMap<String, String>>()
    };
    let options = under("autoscaling-options");
    let number = |name: &str| options.get(name)?.parse().ok();
    let options = ScaleDownOptions {
        utilization_threshold: number(UTILIZATION_THRESHOLD),
        gpu_utilization_threshold: number(GPU_UTILIZATION_THRESHOLD),
        unneeded_time: options.get(UNNEEDED_TIME).cloned(),
        unready_time: options.get(UNREADY_TIME).cloned(),
        ignore_daemonsets_utilization: options.get(IGNORE_DAEMONSETS_UTILIZATION).and_then(|text| text.parse().ok()),
    };
    (under("resources"), options)
}

/// Whether a tag of an Auto Scaling Group belongs to AWS, EKS or the cluster, so that this provider does not manage it.
pub(crate) fn is_reserved(key: &str) -> bool {
    let of_autoscaler = key.starts_with("k8s.io/cluster-autoscaler/") && !key.starts_with(NODE_TEMPLATE);
    of_autoscaler
        || key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
        || key.starts_with("eks:")
        || key.starts_with("eks.amazonaws.com/")
        || key.starts_with("kubernetes.io/cluster/")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn taint(key: &str, value: &str, effect: Effect) -> Taint {
        Taint { key: key.to_owned(), value: value.to_owned(), effect }
    }

    #[test]
    fn the_tags_of_the_guide() {
        let template = NodeTemplate {
            labels: map(&[("nodegroup-type", "stateless"), ("instance-type", "spot"), ("intent", "build")]),
            taints: vec![taint("buildInstance", "true", Effect::NoSchedule)],
            capacity_type: Some("SPOT".to_owned()),
            ..NodeTemplate::default()
        };
        let expected = map(&[
            ("k8s.io/cluster-autoscaler/node-template/label/eks.amazonaws.com/capacityType", "SPOT"),
            ("k8s.io/cluster-autoscaler/node-template/label/instance-type", "spot"),
            ("k8s.io/cluster-autoscaler/node-template/label/intent", "build"),
            ("k8s.io/cluster-autoscaler/node-template/label/nodegroup-type", "stateless"),
            ("k8s.io/cluster-autoscaler/node-template/taint/buildInstance", "true:NoSchedule"),
        ]);
        assert_eq!(autoscaler_tags(&template), expected);
    }

    #[test]
    fn a_taint_without_a_value_keeps_its_colon_and_the_harder_effect_wins() {
        let taints = vec![
            taint("gpu", "", Effect::NoSchedule),
            taint("soft", "a", Effect::PreferNoSchedule),
            taint("soft", "b", Effect::NoExecute),
        ];
        let template = NodeTemplate { taints, ..NodeTemplate::default() };
        let expected = map(&[
            ("k8s.io/cluster-autoscaler/node-template/taint/gpu", ":NoSchedule"),
            ("k8s.io/cluster-autoscaler/node-template/taint/soft", "b:NoExecute"),
        ]);
        assert_eq!(autoscaler_tags(&template), expected);
    }

    #[test]
    fn values_stored_in_tags_are_read_back() {
        let template = NodeTemplate {
            resources: map(&[("ephemeral-storage", "100G")]),
            options: ScaleDownOptions {
                utilization_threshold: Some(0.65),
                gpu_utilization_threshold: None,
                unneeded_time: Some("10m0s".to_owned()),
                unready_time: Some("20m".to_owned()),
                ignore_daemonsets_utilization: Some(true),
            },
            ..NodeTemplate::default()
        };
        let tags = autoscaler_tags(&template);
        let expected = map(&[
            ("k8s.io/cluster-autoscaler/node-template/autoscaling-options/ignoredaemonsetsutilization", "true"),
            ("k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownunneededtime", "10m0s"),
            ("k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownunreadytime", "20m"),
            ("k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownutilizationthreshold", "0.65"),
            ("k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage", "100G"),
        ]);
        assert_eq!(tags, expected);
        assert_eq!(from_tags(&tags), (template.resources, template.options));
    }

    #[test]
    fn effects_in_both_spellings() {
        assert_eq!(Effect::parse("NoSchedule"), Some(Effect::NoSchedule));
        assert_eq!(Effect::parse("PREFER_NO_SCHEDULE"), Some(Effect::PreferNoSchedule));
        assert_eq!(Effect::parse("noschedule"), None);
    }

    #[test]
    fn tags_of_eks_are_reserved() {
        let reserved = [
            "k8s.io/cluster-autoscaler/enabled",
            "k8s.io/cluster-autoscaler/prod",
            "kubernetes.io/cluster/prod",
            "eks:nodegroup-name",
            "aws:autoscaling:groupName",
        ];
        assert!(reserved.iter().all(|key| is_reserved(key)));
        assert!(!is_reserved("k8s.io/cluster-autoscaler/node-template/label/intent"));
        assert!(!is_reserved("team"));
    }
}
