//! Permissions of nodes and of add-ons on them: the AWS managed policy if there is one, otherwise the permissions that
//! eksctl or the documentation of the add-on grants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use tfplugin::framework::{Set, Value};

/// An add-on that runs with the nodes' role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Addon {
    AutoScaler,
    CertManager,
    ExternalDns,
    ImageBuilder,
    Ebs,
    Efs,
    Fsx,
    AwsLoadBalancerController,
    Xray,
    CloudWatch,
}

/// Policies of every node: to join the cluster, to assign addresses to pods, to pull images, and for Session Manager,
/// which eksctl grants as well. The newer ECR policy for pulls only would be sufficient, but EKS has required this one
/// for node roles from the beginning, and every partition has it.
const EVERY_NODE: [&str; 4] = [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonSSMManagedInstanceCore",
];

impl Addon {
    pub(in super::super) const ALL: [Self; 10] = [
        Self::AutoScaler,
        Self::CertManager,
        Self::ExternalDns,
        Self::ImageBuilder,
        Self::Ebs,
        Self::Efs,
        Self::Fsx,
        Self::AwsLoadBalancerController,
        Self::Xray,
        Self::CloudWatch,
    ];

    /// The name in the configuration.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::AutoScaler => "auto_scaler",
            Self::CertManager => "cert_manager",
            Self::ExternalDns => "external_dns",
            Self::ImageBuilder => "image_builder",
            Self::Ebs => "ebs",
            Self::Efs => "efs",
            Self::Fsx => "fsx",
            Self::AwsLoadBalancerController => "aws_load_balancer_controller",
            Self::Xray => "xray",
            Self::CloudWatch => "cloud_watch",
        }
    }

    pub(in super::super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|addon| addon.name() == name)
    }

    /// The add-on with this name in another spelling: that of eksctl (`autoScaler`, `albIngress`), or with hyphens.
    pub(in super::super) fn guess(name: &str) -> Option<Self> {
        let letters = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
        };
        match letters(name).as_str() {
            "albingress" => Some(Self::AwsLoadBalancerController),
            name => Self::ALL.into_iter().find(|addon| letters(addon.name()) == name),
        }
    }

    /// The AWS managed policy of the add-on, with its path.
    fn managed(self) -> Option<&'static str> {
        match self {
            Self::ImageBuilder => Some("AmazonEC2ContainerRegistryPowerUser"),
            Self::Ebs => Some("service-role/AmazonEBSCSIDriverPolicy"),
            Self::Efs => Some("service-role/AmazonEFSCSIDriverPolicy"),
            Self::Xray => Some("AWSXRayDaemonWriteAccess"),
            Self::CloudWatch => Some("CloudWatchAgentServerPolicy"),
            _ => None,
        }
    }

    /// Name and statements of the inline policy.
    fn inline(self, partition: &str) -> Option<(&'static str, Json)> {
        Some(match self {
            Self::AutoScaler => ("auto-scaler", json!([allow(&AUTO_SCALER, "*")])),
            Self::CertManager => (
                "cert-manager",
                json!([
                    allow(&["route53:ChangeResourceRecordSets"], &hosted_zones(partition)),
                    allow(&["route53:ListResourceRecordSets", "route53:ListHostedZonesByName"], "*"),
                    allow(&["route53:GetChange"], &format!("arn:{partition}:route53:::change/*")),
                ]),
            ),
            Self::ExternalDns => (
                "external-dns",
                json!([
                    allow(&["route53:ChangeResourceRecordSets"], &hosted_zones(partition)),
                    allow(&EXTERNAL_DNS, "*"),
                ]),
            ),
            Self::Fsx => (
                "fsx",
                json!([
                    allow(&["fsx:*"], "*"),
                    allow(&SERVICE_LINKED_ROLE, &format!("arn:{partition}:iam::*:role/aws-service-role/*")),
                ]),
            ),
            Self::AwsLoadBalancerController => {
                ("aws-load-balancer-controller", super::load_balancer_controller::statements(partition))
            }
            Self::ImageBuilder | Self::Ebs | Self::Efs | Self::Xray | Self::CloudWatch => return None,
        })
    }
}

/// The add-ons of the attribute `addon_policies`.
pub(in super::super) fn addons(names: &Value<Set<String>>) -> BTreeSet<Addon> {
    names.known().into_iter().flat_map(Set::iter).filter_map(Value::as_str).filter_map(Addon::parse).collect()
}

/// The attribute `addon_policies` for these add-ons.
pub(in super::super) fn addon_policies(addons: &BTreeSet<Addon>) -> Value<Set<String>> {
    if addons.is_empty() {
        return Value::Null;
    }
    Value::Known(addons.iter().map(|addon| addon.name().to_owned()).collect())
}

/// ARNs of the managed policies for these add-ons, and for every node.
pub(in super::super) fn managed(addons: &BTreeSet<Addon>, partition: &str) -> BTreeSet<String> {
    let of_addons = addons.iter().filter_map(|addon| addon.managed());
    EVERY_NODE.into_iter().chain(of_addons).map(|name| format!("arn:{partition}:iam::aws:policy/{name}")).collect()
}

/// The inline policies for these add-ons: documents by name.
pub(in super::super) fn inline(addons: &BTreeSet<Addon>, partition: &str) -> BTreeMap<&'static str, Json> {
    let document = |statements: Json| json!({ "Version": "2012-10-17", "Statement": statements });
    let policies = addons.iter().filter_map(|addon| addon.inline(partition));
    policies.map(|(name, statements)| (name, document(statements))).collect()
}

/// Derives the add-ons of a role from its policies. Returns them and the ARNs of the other attached policies.
pub(in super::super) fn recognize(
    inline: &BTreeSet<String>,
    attached: &BTreeSet<String>,
    partition: &str,
) -> (BTreeSet<Addon>, BTreeSet<String>) {
    let has = |addon: &Addon| match (addon.managed(), addon.inline(partition)) {
        (Some(name), _) => attached.contains(&format!("arn:{partition}:iam::aws:policy/{name}")),
        (_, Some((name, _))) => inline.contains(name),
        _ => false,
    };
    let addons: BTreeSet<Addon> = Addon::ALL.into_iter().filter(has).collect();
    let further = attached.difference(&managed(&addons, partition)).cloned().collect();
    (addons, further)
}

pub(super) fn allow(actions: &[&str], resource: &str) -> Json {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

fn hosted_zones(partition: &str) -> String {
    format!("arn:{partition}:route53:::hostedzone/*")
}

/// eksctl does not grant the last three: newer versions of the autoscaler read instance types and images from EC2, and
/// labels and taints of groups without nodes from EKS.
const AUTO_SCALER: [&str; 12] = [
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "autoscaling:SetDesiredCapacity",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeImages",
    "ec2:GetInstanceTypesFromInstanceRequirements",
    "eks:DescribeNodegroup",
];

/// eksctl does not grant the last one: newer versions read the tags of several zones with one request.
const EXTERNAL_DNS: [&str; 4] = [
    "route53:ListHostedZones",
    "route53:ListResourceRecordSets",
    "route53:ListTagsForResource",
    "route53:ListTagsForResources",
];

const SERVICE_LINKED_ROLE: [&str; 3] = ["iam:CreateServiceLinkedRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"];

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> BTreeSet<Addon> {
        Addon::ALL.into_iter().collect()
    }

    fn names(names: &[&str]) -> Value<Set<String>> {
        Value::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_guides_add_ons() {
        let policies = names(&["auto_scaler", "cert_manager", "external_dns"]);
        let addons = addons(&policies);
        assert_eq!(addons, [Addon::AutoScaler, Addon::CertManager, Addon::ExternalDns].into());
        assert_eq!(
            inline(&addons, "aws").into_keys().collect::<Vec<_>>(),
            ["auto-scaler", "cert-manager", "external-dns"]
        );
        assert_eq!(
            managed(&addons, "aws-cn").first().map(String::as_str),
            Some("arn:aws-cn:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly")
        );
        assert_eq!(addon_policies(&addons), policies);
        assert_eq!(addon_policies(&BTreeSet::new()), Value::Null);
    }

    #[test]
    fn other_spellings_are_understood() {
        assert!(Addon::ALL.into_iter().all(|addon| Addon::parse(addon.name()) == Some(addon)));
        let eksctl = [
            "autoScaler",
            "certManager",
            "externalDNS",
            "imageBuilder",
            "ebs",
            "efs",
            "fsx",
            "awsLoadBalancerController",
            "xRay",
            "cloudWatch",
        ];
        assert_eq!(eksctl.map(Addon::guess), Addon::ALL.map(Some));
        assert_eq!(Addon::guess("albIngress"), Some(Addon::AwsLoadBalancerController));
        assert_eq!(Addon::guess("alb_ingress"), Some(Addon::AwsLoadBalancerController));
        assert_eq!(Addon::guess("appMesh"), None);
    }

    #[test]
    fn add_ons_with_managed_policies_have_no_inline_policy() {
        let arns = managed(&[Addon::Ebs, Addon::Efs, Addon::Xray].into(), "aws");
        for name in ["service-role/AmazonEBSCSIDriverPolicy", "service-role/AmazonEFSCSIDriverPolicy"] {
            assert!(arns.contains(&format!("arn:aws:iam::aws:policy/{name}")), "{arns:?}");
        }
        assert!(inline(&[Addon::Ebs, Addon::Efs, Addon::Xray].into(), "aws").is_empty());
    }

    #[test]
    fn no_document_names_another_partition() {
        for partition in ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-e", "aws-iso-f"] {
            let documents = inline(&all(), partition).values().map(Json::to_string).collect::<String>();
            let own = format!("arn:{partition}:");
            assert_eq!(documents.matches("arn:").count(), documents.matches(&own).count(), "{partition}");
            assert!(managed(&all(), partition).iter().all(|arn| arn.starts_with(&own)), "{partition}");
        }
    }

    #[test]
    fn newer_versions_of_external_dns_read_the_tags_of_many_zones() {
        let document = inline(&[Addon::ExternalDns].into(), "aws")["external-dns"].to_string();
        assert!(document.contains("route53:ListTagsForResources"), "{document}");
    }

    #[test]
    fn add_ons_are_recognised_by_policies() {
        let names: BTreeSet<String> = inline(&all(), "aws").into_keys().map(str::to_owned).collect();
        let mut attached = managed(&all(), "aws");
        attached.insert("arn:aws:iam::123456789012:policy/extra".to_owned());
        let (addons, further) = recognize(&names, &attached, "aws");
        assert_eq!(addons, all());
        assert_eq!(further, ["arn:aws:iam::123456789012:policy/extra".to_owned()].into());
    }

    #[test]
    fn all_inline_policies_fit_into_one_role() {
        let size: usize = inline(&all(), "aws-us-gov").values().map(|document| document.to_string().len()).sum();
        assert!(size <= 10_240, "IAM allows 10,240 characters in all; here are {size}");
    }
}
