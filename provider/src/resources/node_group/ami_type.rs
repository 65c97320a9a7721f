//! The AMI type for instance types if none is configured: EKS assumes x86_64 and rejects other architectures.

/// The AMI type to request; `None` for the default of EKS.
pub(super) fn for_instance_types(names: &[String]) -> Option<&'static str> {
    (!names.is_empty() && names.iter().all(|name| is_graviton(name))).then_some("AL2023_ARM_64_STANDARD")
}

/// Whether an instance type has a Graviton processor. Its family has a `g` after the letters and the generation, as in
/// `m6g`, `c7gn`, `im4gn` and `is4gen`. The first family is `a1`.
fn is_graviton(name: &str) -> bool {
    let family = name.split('.').next().unwrap_or_default();
    let attributes = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let attributes = attributes.trim_start_matches(|c: char| c.is_ascii_digit());
    family == "a1" || attributes.starts_with('g')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm_types_are_recognised_by_name() {
        for name in [
            "a1.large",
            "m6g.large",
            "c7gn.xlarge",
            "t4g.small",
            "im4gn.large",
            "is4gen.large",
            "x2gd.large",
            "g5g.xlarge",
        ] {
            assert!(is_graviton(name), "{name}");
        }
        for name in
            ["c5.large", "g4dn.xlarge", "g6e.xlarge", "gr6.4xlarge", "m5ad.large", "mac2.metal", "t3a.large", ""]
        {
            assert!(!is_graviton(name), "{name}");
        }
    }

    #[test]
    fn only_arm_alone_needs_another_ami() {
        let of = |names: &[&str]| for_instance_types(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["m6g.large", "c6g.large"]), Some("AL2023_ARM_64_STANDARD"));
        assert_eq!((of(&["c5.large"]), of(&["c5.large", "m6g.large"]), of(&[])), (None, None, None));
    }
}
