//! AMI types of EKS that eksctl chooses.

/// Families with one AMI type for each architecture.
const FAMILIES: [&str; 7] = [
    "AmazonLinux2023",
    "AmazonLinux2",
    "Bottlerocket",
    "WindowsServer2019CoreContainer",
    "WindowsServer2019FullContainer",
    "WindowsServer2022CoreContainer",
    "WindowsServer2022FullContainer",
];

/// The AMI type of a family for these instance types; `None` where eksctl's choice depends on its version, or on the type.
pub(super) fn of(family: &str, instance_types: &[String]) -> Option<&'static str> {
    if instance_types.is_empty() || instance_types.iter().any(|name| has_accelerator(name)) {
        return None;
    }
    let is_arm = instance_types.iter().all(|name| is_graviton(name));
    let is_mixed = !is_arm && instance_types.iter().any(|name| is_graviton(name));
    // eksctl ignores the letter case of the family.
    let family = FAMILIES.into_iter().find(|name| name.eq_ignore_ascii_case(family))?;
    match (family, is_arm) {
        _ if is_mixed => None,
        ("AmazonLinux2023", false) => Some("AL2023_x86_64_STANDARD"),
        ("AmazonLinux2023", true) => Some("AL2023_ARM_64_STANDARD"),
        ("AmazonLinux2", false) => Some("AL2_x86_64"),
        ("AmazonLinux2", true) => Some("AL2_ARM_64"),
        ("Bottlerocket", false) => Some("BOTTLEROCKET_x86_64"),
        ("Bottlerocket", true) => Some("BOTTLEROCKET_ARM_64"),
        ("WindowsServer2019CoreContainer", false) => Some("WINDOWS_CORE_2019_x86_64"),
        ("WindowsServer2019FullContainer", false) => Some("WINDOWS_FULL_2019_x86_64"),
        ("WindowsServer2022CoreContainer", false) => Some("WINDOWS_CORE_2022_x86_64"),
        ("WindowsServer2022FullContainer", false) => Some("WINDOWS_FULL_2022_x86_64"),
        _ => None,
    }
}

/// The letters before the number of the generation, and those after it: `im4gn` is `im` and `gn`.
fn family(instance_type: &str) -> (&str, &str) {
    let family = instance_type.split('.').next().unwrap_or(instance_type);
    let digits = family.find(|letter: char| letter.is_ascii_digit()).unwrap_or(family.len());
    let (kind, rest) = family.split_at(digits);
    (kind, rest.trim_start_matches(|letter: char| letter.is_ascii_digit()))
}

fn has_accelerator(instance_type: &str) -> bool {
    let (kind, _) = family(instance_type);
    ["g", "gr", "p", "inf", "trn", "dl", "vt", "f"].contains(&kind)
}

fn is_graviton(instance_type: &str) -> bool {
    let (kind, options) = family(instance_type);
    options.contains('g') || (kind == "a" && instance_type.starts_with("a1."))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ami_type_follows_family_and_architecture() {
        let of = |family: &str, types: &[&str]| {
            super::of(family, &types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of("AmazonLinux2023", &["c5a.2xlarge", "m5.large"]), Some("AL2023_x86_64_STANDARD"));
        assert_eq!(of("AmazonLinux2023", &["m6g.large", "im4gn.large", "a1.large"]), Some("AL2023_ARM_64_STANDARD"));
        assert_eq!(of("Bottlerocket", &["m6i.large"]), Some("BOTTLEROCKET_x86_64"));
        assert_eq!(of("Bottlerocket", &["m6g.large", "m6i.large"]), None);
        assert_eq!(of("AmazonLinux2023", &["g5.xlarge"]), None);
        assert_eq!(of("AmazonLinux2023", &[]), None);
        assert_eq!(of("bottlerocket", &["m6i.large"]), Some("BOTTLEROCKET_x86_64"));
        assert_eq!(of("Ubuntu2204", &["m5.large"]), None);
    }
}
