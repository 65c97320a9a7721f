//! Validates names by the rules of EKS and IAM.

use tfplugin::framework::{AttributePath, Diagnostics, Set, Value};

use super::super::node_role::Addon;
use super::super::schema::NodeGroup;

/// Length of the random suffix of a generated name.
pub(in super::super) const SUFFIX: usize = 10;

/// The prefix of a name that appears to be generated, by this provider or by another tool (26 digits: a date and a
/// counter).
pub(in super::super) fn generated_prefix(name: &str) -> Option<String> {
    let ours = |suffix: &str| {
        // The alphabet of suffixes has no characters that are easily confused. Ordinary words rarely contain digits.
        suffix.bytes().all(|byte| b"abcdefghijkmnpqrstuvwxyz23456789".contains(&byte))
            && suffix.bytes().filter(u8::is_ascii_digit).count() > 1
            && suffix.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    let digits = |suffix: &str| suffix.starts_with("20") && suffix.bytes().all(|byte| byte.is_ascii_digit());
    let split =
        |length: usize| name.len().checked_sub(length).filter(|at| *at > 0).and_then(|at| name.split_at_checked(at));
    let generated = match (split(26), split(SUFFIX)) {
        (Some((prefix, suffix)), _) if digits(suffix) => prefix,
        (_, Some((prefix, suffix))) if ours(suffix) && prefix.ends_with(['-', '_']) => prefix,
        _ => return None,
    };
    Some(generated.to_owned())
}

pub(super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let wrong_name = "Invalid name";
    if let Some(name) = config.cluster_name.as_str()
        && !is_name(name, 100)
    {
        let text = format!(
            "{name:?} is not a cluster name. A cluster name has 1 to 100 letters, digits, hyphens and underscores, and \
             begins with a letter or digit."
        );
        diagnostics.error("cluster_name", wrong_name, text);
    }
    if let Some(name) = config.name.as_str()
        && !is_name(name, 63)
    {
        let text = format!(
            "{name:?} is not a node group name. A node group name has 1 to 63 letters, digits, hyphens and \
             underscores, and begins with a letter or digit."
        );
        diagnostics.error("name", wrong_name, text);
    }
    if let Some(prefix) = config.name_prefix.as_str()
        && !is_name(prefix, 63 - SUFFIX)
    {
        let text = format!(
            "{prefix:?} is not a node group name prefix. A prefix has 1 to {} letters, digits, hyphens and \
             underscores, and begins with a letter or digit.",
            63 - SUFFIX
        );
        diagnostics.error("name_prefix", wrong_name, text);
    }
    role(config, diagnostics);
}

fn is_name(name: &str, longest: usize) -> bool {
    let mut bytes = name.bytes();
    name.len() <= longest
        && bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn role(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    if let Some(arn) = config.node_role_arn.as_str()
        && !is_arn_of(arn, "role/")
    {
        let text = format!("{arn:?} is not the ARN of a role, for example \"arn:aws:iam::123456789012:role/nodes\".");
        diagnostics.error("node_role_arn", "Invalid ARN", text);
    }
    let Value::Known(role) = &config.node_role else { return };
    let path = AttributePath::of("node_role");
    for (attribute, name, longest) in [("name", &role.name, 64), ("name_prefix", &role.name_prefix, 64 - SUFFIX)] {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if let Some(name) = name.as_str()
            && (name.is_empty() || name.len() > longest || !name.bytes().all(valid))
        {
            let text = format!("{name:?} must have 1 to {longest} letters, digits and characters of \"_+=,.@-\".");
            diagnostics.error(path.attribute(attribute), "Invalid name", text);
        }
    }
    if let Some(role_path) = role.path.as_str()
        && !(role_path.starts_with('/') && role_path.ends_with('/'))
    {
        let text = format!("{role_path:?} must begin and end with a slash.");
        diagnostics.error(path.attribute("path"), "Invalid IAM path", text);
    }
    addon_policies(&role.addon_policies, &path, diagnostics);
    let policies = role.additional_policy_arns.known().into_iter().flat_map(Set::iter);
    let policies = policies.map(|arn| ("additional_policy_arns", arn));
    for (attribute, arn) in policies.chain([("permissions_boundary", &role.permissions_boundary)]) {
        if let Some(arn) = arn.as_str()
            && !is_arn_of(arn, "policy/")
        {
            let text = format!(
                "{arn:?} is not the ARN of a policy, for example \
                \"arn:aws:iam::123456789012:policy/extra\"."
            );
            diagnostics.error(path.attribute(attribute), "Invalid ARN", text);
        }
    }
}

/// Checks the names of add-ons. eksctl has the same add-ons with other names, for which the error contains the correct
/// one.
fn addon_policies(names: &Value<Set<String>>, role: &AttributePath, diagnostics: &mut Diagnostics) {
    for name in names.known().into_iter().flat_map(Set::iter) {
        let Some(name) = name.as_str().filter(|name| Addon::parse(name).is_none()) else { continue };
        let text = match Addon::guess(name) {
            Some(addon) => format!("{name:?} is not supported. Use {:?}.", addon.name()),
            None => {
                let known = Addon::ALL.map(Addon::name).join(", ");
                format!(
                    "No policy is known for {name:?}. Use one of {known}; attach other policies with \
                     additional_policy_arns."
                )
            }
        };
        diagnostics.error(role.attribute("addon_policies"), "Invalid add-on", text);
    }
}

fn is_arn_of(arn: &str, kind: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", _, resource]
        if !partition.is_empty() && resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::NodeRole;
    use super::super::tests::{minimal, one, problems};
    use super::*;

    #[test]
    fn names_that_eks_takes() {
        assert!(is_name("build-8vcpu-16gb-32gb-1b", 63));
        for wrong in ["", "-a", "a b", "a.b", &"a".repeat(64)] {
            assert!(!is_name(wrong, 63), "{wrong}");
        }
    }

    #[test]
    fn generated_names_are_recognized() {
        assert_eq!(generated_prefix("build-k3m9x2abcd").as_deref(), Some("build-"));
        assert_eq!(generated_prefix("build-20260102030405678900000001").as_deref(), Some("build-"));
        for name in ["build", "build-8vcpu-16gb-32gb-1b", "ci-kubernetes", "k3m9x2abcd"] {
            assert_eq!(generated_prefix(name), None, "{name}");
        }
    }

    #[test]
    fn add_ons_in_other_spellings_are_named() {
        let names = ["auto_scaler", "certManager", "alb_ingress", "appMesh"].map(str::to_owned);
        let node_role = NodeRole { addon_policies: Value::Known(names.into_iter().collect()), ..NodeRole::default() };
        let config = NodeGroup { node_role: Value::Known(node_role), ..minimal() };
        let wrong = one("node_role.addon_policies", "Invalid add-on");
        assert_eq!(problems(&config), [wrong.clone(), wrong.clone(), wrong].concat());
        let mut diagnostics = Diagnostics::new();
        check(&config, &mut diagnostics);
        let texts: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.detail.to_string()).collect();
        assert!(texts.contains(&r#""certManager" is not supported. Use "cert_manager"."#.to_owned()), "{texts:?}");
        assert!(
            texts.contains(&r#""alb_ingress" is not supported. Use "aws_load_balancer_controller"."#.to_owned()),
            "{texts:?}"
        );
        assert!(texts.iter().any(|text| text.starts_with("No policy is known for \"appMesh\"")), "{texts:?}");
    }

    #[test]
    fn roles_and_policies_are_arns() {
        let node_role = NodeRole {
            path: "ci".into(),
            additional_policy_arns: Value::Known(["AmazonS3FullAccess".to_owned()].into_iter().collect()),
            permissions_boundary: "arn:aws:iam::aws:policy/PowerUserAccess".into(),
            ..NodeRole::default()
        };
        assert_eq!(
            problems(&NodeGroup { node_role: Value::Known(node_role), ..minimal() }),
            [one("node_role.path", "Invalid IAM path"), one("node_role.additional_policy_arns", "Invalid ARN")]
                .concat()
        );
        assert!(is_arn_of("arn:aws-cn:iam::123456789012:role/ci/nodes", "role/"));
        assert!(!is_arn_of("arn:aws:iam::123456789012:user/x", "role/"));
    }
}
