//! Validates labels, and the keys and values of labels and taints, by the rules of EKS, Kubernetes and the kubelet.
//!
//! EKS has accepted keys with reserved prefixes at times. The kubelet then rejects them and no node joins, which does
//! not show while the group has no nodes.

use tfplugin::framework::{AttributePath, Diagnostics, Value};

use super::super::schema::NodeGroup;

/// Maximum length of keys and values in the EKS API. Kubernetes itself allows longer keys: it counts only the part
/// after the slash.
const LONGEST: usize = 63;

/// Domains of labels that are reserved for Kubernetes and EKS.
const RESERVED: [&str; 3] = ["kubernetes.io", "k8s.io", "eks.amazonaws.com"];

/// Domains of Kubernetes in which a kubelet can label its own node.
const OF_KUBELET: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];

/// Other keys of Kubernetes that a kubelet can set (k8s.io/kubelet, well_known_labels.go).
const WELL_KNOWN: [&str; 10] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

pub(super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Value::Known(labels) = &config.labels else { return };
    let path = AttributePath::of("labels");
    for (key, value) in labels {
        if let Some(problem) = label_key(key).or_else(|| reserved(key)) {
            diagnostics.error(path.key(key), "Invalid label", format!("The key {key:?} {problem}"));
        }
        let problem = match value {
            Value::Unknown => None,
            Value::Null => Some("has no value, but EKS requires one. Set a value, for example \"true\".".to_owned()),
            Value::Known(value) if value.is_empty() => {
                Some("has an empty value, which EKS does not accept. Set a value, for example \"true\".".to_owned())
            }
            Value::Known(value) => {
                label_value(value).map(|problem| format!("has the value {value:?}, which {problem}"))
            }
        };
        if let Some(problem) = problem {
            diagnostics.error(path.key(key), "Invalid label", format!("The label {key:?} {problem}"));
        }
    }
}

/// The problem with the key of a label or taint, if it is not valid.
pub(super) fn label_key(key: &str) -> Option<&'static str> {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if key.len() > LONGEST {
        return Some("is too long: EKS accepts keys of at most 63 characters, including the part before the slash.");
    }
    if !is_qualified(name) {
        return Some(
            "must end with a name of letters, digits, \"-\", \"_\" and \".\" that begins and ends with a letter or \
             digit.",
        );
    }
    let is_domain = |prefix: &str| {
        prefix.split('.').all(|part| {
            let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
        })
    };
    prefix.is_some_and(|prefix| !is_domain(prefix)).then_some(
        "must have a domain in lowercase letters before the \
        slash.",
    )
}

/// The problem with the value of a label or taint, if it is not valid. The value of a taint may be empty.
pub(super) fn label_value(value: &str) -> Option<&'static str> {
    (!value.is_empty() && !is_qualified(value)).then_some(
        "is not allowed: a value has up to 63 letters, digits, \"-\", \"_\" and \".\", and begins and ends with a \
         letter or digit.",
    )
}

/// The problem with a label that nodes cannot set, because its key is reserved.
fn reserved(key: &str) -> Option<&'static str> {
    let (prefix, _) = key.split_once('/')?;
    let within =
        |domain: &&str| prefix.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if WELL_KNOWN.contains(&key) || OF_KUBELET.iter().any(within) {
        return None;
    }
    RESERVED.iter().any(within).then_some(
        "has a reserved prefix: nodes cannot label themselves with kubernetes.io/, k8s.io/ and eks.amazonaws.com/, and would \
         not join the cluster. Choose another prefix; node.kubernetes.io/ and kubelet.kubernetes.io/ are allowed.",
    )
}

fn is_qualified(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= LONGEST
        && ends(text.bytes().next())
        && ends(text.bytes().next_back())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::Taint;
    use super::super::tests::{minimal, one, problems};
    use super::*;

    fn with(labels: &[(&str, Value<String>)]) -> NodeGroup {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        NodeGroup { labels: Value::Known(labels), ..minimal() }
    }

    fn wrong(key: &str) -> Vec<(String, String)> {
        one(&format!("labels[{key:?}]"), "Invalid label")
    }

    #[test]
    fn labels_that_eks_takes() {
        assert_eq!(problems(&with(&[("intent", "build".into()), ("example.org/pool", "large".into())])), []);
        assert_eq!(
            problems(&with(&[("Bad/key", "a".into()), ("empty", "".into()), ("null", Value::Null), ("v", "-".into())])),
            [wrong("Bad/key"), wrong("empty"), wrong("null"), wrong("v")].concat()
        );
        assert_eq!(problems(&with(&[("unknown", Value::Unknown)])), []);
    }

    #[test]
    fn a_key_is_counted_as_a_whole() {
        let key = |length: usize| format!("example.org/{}", "a".repeat(length - 12));
        assert_eq!((label_key(&key(63)), label_key(&key(64)).is_some()), (None, true));
        let taint = Taint { key: key(64).into(), value: "".into(), effect: "NoSchedule".into() };
        let config = NodeGroup { taints: Value::Known([taint].into_iter().collect()), ..minimal() };
        assert_eq!(problems(&config), one("taints", "Invalid taint"));
    }

    #[test]
    fn reserved_prefixes() {
        for key in [
            "node-role.kubernetes.io/build",
            "kubernetes.io/role",
            "k8s.io/x",
            "x.k8s.io/y",
            "node-restriction.kubernetes.io/x",
            "eks.amazonaws.com/x",
        ] {
            assert_eq!(problems(&with(&[(key, "true".into())])), wrong(key), "{key}");
        }
        for key in [
            "node.kubernetes.io/build",
            "ci.node.kubernetes.io/x",
            "kubelet.kubernetes.io/x",
            "kubernetes.io/os",
            "mykubernetes.io/x",
            "karpenter.sh/x",
        ] {
            assert_eq!(problems(&with(&[(key, "true".into())])), [], "{key}");
        }
    }
}
