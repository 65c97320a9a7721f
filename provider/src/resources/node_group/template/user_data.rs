//! User data of the instances, composed of the user's own and of parts for other attributes.
//!
//! EKS adds the part with which the node joins the cluster, and only accepts user data in the format of the AMI: a MIME
//! multi-part document on Amazon Linux, TOML on Bottlerocket.

mod amazon_linux;
mod bottlerocket;

use std::collections::BTreeMap;

use super::kubelet;

/// Maximum size of user data in bytes, before Base64 encoding.
const LONGEST: usize = 16 * 1024;

/// Operating systems of nodes, as far as their user data differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Family {
    AmazonLinux2023,
    Bottlerocket,
    /// Amazon Linux 2, which accepts MIME as well, but has no nodeadm.
    AmazonLinux2,
    Windows,
    /// A custom AMI.
    Custom,
}

/// The parts of user data.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    pub(super) user_data: Option<String>,
    pub(super) instance_store: bool,
    /// URLs in order of preference, by host.
    pub(super) registry_mirrors: BTreeMap<String, Vec<String>>,
    pub(super) kubelet: kubelet::Settings,
}

/// Why user data cannot be composed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error(
        "It has none of the formats that Amazon Linux 2023 supports: a shell script that begins with \"#!\", a \
         NodeConfig with \"apiVersion: node.eks.aws/v1alpha1\", \"#cloud-config\", or a MIME multi-part document with \
         \"MIME-Version: 1.0\"."
    )]
    UnknownForm,
    #[error("It is not a valid MIME multi-part document: {0}.")]
    NoMime(String),
    #[error("It is not valid TOML: {0}")]
    NoToml(String),
    #[error(
        "It does not contain settings. Bottlerocket expects its settings in TOML, for example \
        \"[settings.kernel]\"."
    )]
    NoSettings,
    #[error("It contains settings.{0}, which EKS sets and rejects here.")]
    OfEks(String),
    #[error("It contains settings.{setting}, which {attribute} of the template sets as well. Omit one of them.")]
    SetTwice { setting: String, attribute: String },
    #[error("With the parts that other attributes add to it, it has {0} bytes. EC2 accepts at most 16,384.")]
    TooLong(usize),
}

impl Family {
    /// The family of an AMI type. The default of EKS is Amazon Linux 2023.
    pub(in super::super) fn of(ami_type: Option<&str>) -> Self {
        match ami_type {
            Some(kind) if kind.starts_with("BOTTLEROCKET") => Self::Bottlerocket,
            Some(kind) if kind.starts_with("WINDOWS") => Self::Windows,
            Some(kind) if kind.starts_with("AL2_") => Self::AmazonLinux2,
            Some("CUSTOM") => Self::Custom,
            _ => Self::AmazonLinux2023,
        }
    }

    /// The device of the volume with images and containers.
    pub(super) fn root_device(self) -> &'static str {
        match self {
            // The first device has the operating system, which does not grow.
            Self::Bottlerocket => "/dev/xvdb",
            Self::Windows => "/dev/sda1",
            Self::AmazonLinux2023 | Self::AmazonLinux2 | Self::Custom => "/dev/xvda",
        }
    }

    /// Whether settings of the node can be configured without the user's own script.
    pub(super) fn has_settings(self) -> bool {
        matches!(self, Self::AmazonLinux2023 | Self::Bottlerocket)
    }
}

/// Composes the user data; `None` if there are no parts.
///
/// # Errors
/// The user's own data does not have the format of the AMI, contradicts other attributes, or is too long.
pub(super) fn compose(parts: &Parts, family: Family) -> Result<Option<String>, Problem> {
    let text = match family {
        Family::AmazonLinux2023 | Family::AmazonLinux2 => amazon_linux::compose(parts, family)?,
        Family::Bottlerocket => bottlerocket::compose(parts)?,
        Family::Windows | Family::Custom => parts.user_data.clone(),
    };
    match text {
        Some(text) if text.len() > LONGEST => Err(Problem::TooLong(text.len())),
        text => Ok(text),
    }
}

/// Splits user data into its parts, as far as they are recognized.
pub(super) fn parts(text: &str, family: Family) -> Parts {
    match family {
        Family::AmazonLinux2023 | Family::AmazonLinux2 => amazon_linux::parts(text),
        Family::Bottlerocket => bottlerocket::parts(text),
        Family::Windows | Family::Custom => Parts { user_data: Some(text.to_owned()), ..Parts::default() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn everything(user_data: &str) -> Parts {
        Parts {
            user_data: Some(user_data.to_owned()),
            instance_store: true,
            registry_mirrors: BTreeMap::from([
                (
                    "docker.io".to_owned(),
                    vec!["https://one.example.com".to_owned(), "https://two.example.com".to_owned()],
                ),
                ("_default".to_owned(), vec!["https://cache.example.com:5000".to_owned()]),
            ]),
            kubelet: kubelet::Settings::from([("max_pods".to_owned(), json!(58))]),
        }
    }

    #[test]
    fn operating_systems_follow_from_the_ami_type() {
        let of = |kind| Family::of(Some(kind));
        assert_eq!(Family::of(None), Family::AmazonLinux2023);
        assert_eq!(of("AL2023_ARM_64_STANDARD"), Family::AmazonLinux2023);
        assert_eq!(of("AL2_x86_64_GPU"), Family::AmazonLinux2);
        assert_eq!(of("BOTTLEROCKET_ARM_64_FIPS"), Family::Bottlerocket);
        assert_eq!(of("WINDOWS_CORE_2022_x86_64"), Family::Windows);
        assert_eq!(of("CUSTOM"), Family::Custom);
    }

    #[test]
    fn no_settings_give_no_user_data() {
        for family in [Family::AmazonLinux2023, Family::Bottlerocket, Family::Windows] {
            assert_eq!(compose(&Parts::default(), family), Ok(None));
        }
    }

    #[test]
    fn too_long_for_ec2() {
        let script = |length: usize| format!("#!/bin/sh\n# {}\n", "x".repeat(length));
        let composed = |length| {
            let parts = Parts { user_data: Some(script(length)), ..Parts::default() };
            compose(&parts, Family::AmazonLinux2023)
        };
        assert!(composed(15_000).is_ok());
        assert!(matches!(composed(16_384), Err(Problem::TooLong(length)) if length > 16_384));
    }

    #[test]
    fn everything_is_read_back() {
        for (family, user_data) in [
            (Family::AmazonLinux2023, "#!/bin/sh\nmount /dev/xvdf /var/cache\n"),
            (Family::AmazonLinux2023, "#cloud-config\nruncmd: [echo]\n"),
            (Family::AmazonLinux2023, "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {}\n"),
            (Family::Bottlerocket, "[settings.kernel]\nlockdown = \"integrity\"\n"),
        ] {
            let parts = everything(user_data);
            let text = compose(&parts, family).unwrap().unwrap();
            assert_eq!(super::parts(&text, family), parts, "{text}");
        }
    }
}
