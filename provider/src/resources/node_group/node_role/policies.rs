//! What nodes, and add-ons on them, may do. The lists are those that eksctl grants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::super::schema::AddonPolicies;
use crate::framework::Value;

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

/// What every node needs: to join, to give pods addresses, to pull images, and to be reached through Session Manager,
/// which eksctl attaches as well. ECR's newer policy for pulling alone would do, but EKS has asked node roles for this one
/// from the beginning, and every partition has it.
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

    /// A managed policy that does it.
    fn managed(self) -> Option<&'static str> {
        match self {
            Self::ImageBuilder => Some("AmazonEC2ContainerRegistryPowerUser"),
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
            Self::Ebs => ("ebs", json!([allow(&EBS, "*")])),
            Self::Efs => ("efs", json!([allow(&["elasticfilesystem:*"], "*"), allow(&EFS_EC2, "*")])),
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
            Self::Xray => ("xray", json!([allow(&XRAY, "*")])),
            Self::ImageBuilder | Self::CloudWatch => return None,
        })
    }

    fn attribute(self, addons: &mut AddonPolicies) -> &mut Value<bool> {
        match self {
            Self::AutoScaler => &mut addons.auto_scaler,
            Self::CertManager => &mut addons.cert_manager,
            Self::ExternalDns => &mut addons.external_dns,
            Self::ImageBuilder => &mut addons.image_builder,
            Self::Ebs => &mut addons.ebs,
            Self::Efs => &mut addons.efs,
            Self::Fsx => &mut addons.fsx,
            Self::AwsLoadBalancerController => &mut addons.aws_load_balancer_controller,
            Self::Xray => &mut addons.xray,
            Self::CloudWatch => &mut addons.cloud_watch,
        }
    }
}

/// The add-ons that are wanted.
pub(in super::super) fn addons(policies: &Value<AddonPolicies>) -> BTreeSet<Addon> {
    let Value::Known(policies) = policies else { return BTreeSet::new() };
    let mut policies = policies.clone();
    Addon::ALL.into_iter().filter(|addon| *addon.attribute(&mut policies) == Value::Known(true)).collect()
}

/// The attribute that asks for these add-ons.
pub(in super::super) fn addon_policies(addons: &BTreeSet<Addon>) -> Value<AddonPolicies> {
    if addons.is_empty() {
        return Value::Null;
    }
    let mut policies = AddonPolicies::default();
    for addon in addons {
        *addon.attribute(&mut policies) = true.into();
    }
    Value::Known(policies)
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

/// The add-ons that a role with these policies serves, and the policies that none of them accounts for.
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

/// The last three go beyond eksctl: newer autoscalers ask EC2 for instance types and images, and EKS for the labels and
/// taints of groups without nodes.
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

const EXTERNAL_DNS: [&str; 3] =
    ["route53:ListHostedZones", "route53:ListResourceRecordSets", "route53:ListTagsForResource"];

const EBS: [&str; 15] = [
    "ec2:AttachVolume",
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:DeleteSnapshot",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeSnapshots",
    "ec2:DescribeTags",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
    "ec2:DetachVolume",
    "ec2:ModifyVolume",
];

const EFS_EC2: [&str; 6] = [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaceAttribute",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:ModifyNetworkInterfaceAttribute",
];

const SERVICE_LINKED_ROLE: [&str; 3] = ["iam:CreateServiceLinkedRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"];

const XRAY: [&str; 5] = [
    "xray:GetSamplingRules",
    "xray:GetSamplingStatisticSummaries",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> BTreeSet<Addon> {
        Addon::ALL.into_iter().collect()
    }

    #[test]
    fn the_guides_add_ons() {
        let policies = AddonPolicies {
            auto_scaler: true.into(),
            cert_manager: true.into(),
            external_dns: true.into(),
            ebs: false.into(),
            ..AddonPolicies::default()
        };
        let addons = addons(&Value::Known(policies.clone()));
        assert_eq!(addons, [Addon::AutoScaler, Addon::CertManager, Addon::ExternalDns].into());
        assert_eq!(
            inline(&addons, "aws").into_keys().collect::<Vec<_>>(),
            ["auto-scaler", "cert-manager", "external-dns"]
        );
        assert_eq!(
            managed(&addons, "aws-cn").first().map(String::as_str),
            Some("arn:aws-cn:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly")
        );
        assert_eq!(addon_policies(&addons), Value::Known(AddonPolicies { ebs: Value::Null, ..policies }));
    }

    #[test]
    fn policies_tell_the_add_ons() {
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
