//! `[runners.kubernetes.affinity]`, with the structure of the Kubernetes API.

use super::*;

const REQUIRED: &str = "required_during_scheduling_ignored_during_execution";
const PREFERRED: &str = "preferred_during_scheduling_ignored_during_execution";

/// The affinity of a pod, as Kubernetes defines it.
pub static AFFINITY: Table = Table {
    groups: &[&[
        table("node_affinity", &NODE_AFFINITY, "Rules about the node's labels."),
        table("pod_affinity", &POD_AFFINITY, "Pods to be near to."),
        table("pod_anti_affinity", &POD_AFFINITY, "Pods to keep away from."),
    ]],
};

static NODE_AFFINITY: Table = Table {
    groups: &[&[
        table(REQUIRED, &NODE_SELECTOR, "Rules that a node must meet."),
        tables(PREFERRED, &PREFERRED_NODES, "Rules that make a node better."),
    ]],
};

static NODE_SELECTOR: Table =
    Table { groups: &[&[tables("node_selector_terms", &NODE_SELECTOR_TERM, "Terms of which one must hold.")]] };

static PREFERRED_NODES: Table = Table {
    groups: &[&[
        integer("weight", "How much it counts, 1 to 100."),
        table("preference", &NODE_SELECTOR_TERM, "The rule."),
    ]],
};

static NODE_SELECTOR_TERM: Table = Table {
    groups: &[&[
        tables("match_expressions", &REQUIREMENT, "Conditions on labels; all must hold."),
        tables("match_fields", &REQUIREMENT, "Conditions on fields of the node."),
    ]],
};

static REQUIREMENT: Table = Table {
    groups: &[&[
        text("key", "Label or field."),
        choice("operator", &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], "How it is compared."),
        texts("values", "What it is compared with."),
    ]],
};

static POD_AFFINITY: Table = Table {
    groups: &[&[
        tables(REQUIRED, &POD_AFFINITY_TERM, "Rules that must hold."),
        tables(PREFERRED, &WEIGHTED_POD_AFFINITY_TERM, "Rules that make a node better."),
    ]],
};

static WEIGHTED_POD_AFFINITY_TERM: Table = Table {
    groups: &[&[
        integer("weight", "How much it counts, 1 to 100."),
        table("pod_affinity_term", &POD_AFFINITY_TERM, "The rule."),
    ]],
};

static POD_AFFINITY_TERM: Table = Table {
    groups: &[&[
        table("label_selector", &LABEL_SELECTOR, "Pods that are meant."),
        texts("namespaces", "Namespaces they are looked for in."),
        text("topology_key", "Node label that defines what near means."),
        table("namespace_selector", &LABEL_SELECTOR, "Namespaces by their labels."),
        texts("match_label_keys", "Labels whose value must be the pod's own.").since(19, 1),
        texts("mismatch_label_keys", "Labels whose value must not be the pod's own.").since(19, 1),
    ]],
};

static LABEL_SELECTOR: Table = Table {
    groups: &[&[
        text_map("match_labels", "Labels with their values."),
        tables("match_expressions", &REQUIREMENT, "Conditions on labels."),
    ]],
};
