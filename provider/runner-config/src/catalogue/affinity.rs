//! `[runners.kubernetes.affinity]`, with the structure of the Kubernetes API.

use super::*;

const REQUIRED: &str = "required_during_scheduling_ignored_during_execution";
const PREFERRED: &str = "preferred_during_scheduling_ignored_during_execution";

/// The affinity of a pod, as Kubernetes defines it.
pub static AFFINITY: Table = Table {
    groups: &[&[
        table("node_affinity", &NODE_AFFINITY, "Rules on the labels of the node."),
        table("pod_affinity", &POD_AFFINITY, "Rules on pods in the same topology domain."),
        table("pod_anti_affinity", &POD_AFFINITY, "Rules on pods that must not be in the same topology domain."),
    ]],
};

static NODE_AFFINITY: Table = Table {
    groups: &[&[
        table(REQUIRED, &NODE_SELECTOR, "Rules that the node must meet."),
        tables(PREFERRED, &PREFERRED_NODES, "Rules that the node should meet."),
    ]],
};

static NODE_SELECTOR: Table = Table {
    groups: &[&[tables("node_selector_terms", &NODE_SELECTOR_TERM, "Terms, of which at least one must match.")]],
};

static PREFERRED_NODES: Table = Table {
    groups: &[&[
        integer("weight", "Weight of the rule, 1 to 100."),
        table("preference", &NODE_SELECTOR_TERM, "Rule with this weight."),
    ]],
};

static NODE_SELECTOR_TERM: Table = Table {
    groups: &[&[
        tables("match_expressions", &REQUIREMENT, "Requirements on labels, all of which must match."),
        tables("match_fields", &REQUIREMENT, "Requirements on fields of the node."),
    ]],
};

static REQUIREMENT: Table = Table {
    groups: &[&[
        text("key", "Key of the label or field."),
        choice("operator", &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], "Operator of the requirement."),
        texts("values", "Values of the requirement."),
    ]],
};

static POD_AFFINITY: Table = Table {
    groups: &[&[
        tables(REQUIRED, &POD_AFFINITY_TERM, "Rules that must be met."),
        tables(PREFERRED, &WEIGHTED_POD_AFFINITY_TERM, "Rules that the node should meet."),
    ]],
};

static WEIGHTED_POD_AFFINITY_TERM: Table = Table {
    groups: &[&[
        integer("weight", "Weight of the rule, 1 to 100."),
        table("pod_affinity_term", &POD_AFFINITY_TERM, "Rule with this weight."),
    ]],
};

static POD_AFFINITY_TERM: Table = Table {
    groups: &[&[
        table("label_selector", &LABEL_SELECTOR, "Selector of the pods."),
        texts("namespaces", "Namespaces of the pods."),
        text("topology_key", "Node label whose values are the topology domains."),
        table("namespace_selector", &LABEL_SELECTOR, "Selector of the namespaces of the pods."),
        texts("match_label_keys", "Keys of labels whose value must be the same as that of the pod.").since(19, 1),
        texts("mismatch_label_keys", "Keys of labels whose value must differ from that of the pod.").since(19, 1),
    ]],
};

static LABEL_SELECTOR: Table = Table {
    groups: &[&[
        text_map("match_labels", "Labels that must match."),
        tables("match_expressions", &REQUIREMENT, "Requirements on labels."),
    ]],
};
