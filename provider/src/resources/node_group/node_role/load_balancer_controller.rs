//! Policy of the AWS Load Balancer Controller, as in its project (`docs/install/iam_policy.json`) and in eksctl.

use serde_json::{Value as Json, json};

use super::policies::allow;

const CLUSTER: &str = "elbv2.k8s.aws/cluster";

/// Statements of the policy. Most actions that change or delete an object are limited to objects with the tag of the
/// controller.
pub(super) fn statements(partition: &str) -> Json {
    let security_groups = json!(format!("arn:{partition}:ec2:*:*:security-group/*"));
    let elb = |kind: &str| format!("arn:{partition}:elasticloadbalancing:*:*:{kind}/*");
    let balancers = json!([elb("targetgroup/*"), elb("loadbalancer/net/*"), elb("loadbalancer/app/*")]);
    let listeners = json!([
        elb("listener/net/*/*"),
        elb("listener/app/*/*"),
        elb("listener-rule/net/*/*"),
        elb("listener-rule/app/*/*")
    ]);
    let ours = json!({ "Null": { aws("ResourceTag"): "false" } });
    let being_made = json!({ "Null": { aws("RequestTag"): "false" } });
    let ours_to_tag = json!({ "Null": { aws("RequestTag"): "true", aws("ResourceTag"): "false" } });
    let tag = ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"];
    let of_elb = json!({ "StringEquals": { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" } });
    json!([
        on(&["iam:CreateServiceLinkedRole"], &json!("*"), Some(of_elb)),
        allow(&LOOK_AND_LISTEN, "*"),
        on(
            &["ec2:CreateTags"],
            &security_groups,
            Some(json!({
                "StringEquals": { "ec2:CreateAction": "CreateSecurityGroup" },
                "Null": { aws("RequestTag"): "false" },
            }))
        ),
        on(&["ec2:CreateTags", "ec2:DeleteTags"], &security_groups, Some(ours_to_tag.clone())),
        on(&CREATE, &json!("*"), Some(being_made)),
        on(&tag, &balancers, Some(ours_to_tag)),
        on(&tag, &listeners, None),
        on(
            &["elasticloadbalancing:AddTags"],
            &balancers,
            Some(json!({
                "StringEquals": { "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"] },
                "Null": { aws("RequestTag"): "false" },
            }))
        ),
        on(&CHANGE, &json!("*"), Some(ours)),
        on(
            &["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
            &json!(elb("targetgroup/*")),
            None
        ),
    ])
}

fn aws(kind: &str) -> String {
    format!("aws:{kind}/{CLUSTER}")
}

fn on(actions: &[&str], resource: &Json, condition: Option<Json>) -> Json {
    let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    if let (Some(members), Some(condition)) = (statement.as_object_mut(), condition) {
        members.insert("Condition".to_owned(), condition);
    }
    statement
}

const CREATE: [&str; 2] = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"];

const CHANGE: [&str; 12] = [
    "ec2:DeleteSecurityGroup",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyCapacityReservation",
    "elasticloadbalancing:ModifyIpPools",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:SetIpAddressType",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
];

const LOOK_AND_LISTEN: [&str; 59] = [
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "cognito-idp:DescribeUserPoolClient",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeCoipPools",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeIpamPools",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcPeeringConnections",
    "ec2:DescribeVpcs",
    "ec2:GetCoipPoolUsage",
    "ec2:GetSecurityGroupsForVpc",
    "ec2:RevokeSecurityGroupIngress",
    "elasticloadbalancing:AddListenerCertificates",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:DescribeCapacityReservation",
    "elasticloadbalancing:DescribeListenerCertificates",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:RemoveListenerCertificates",
    "elasticloadbalancing:SetRulePriorities",
    "elasticloadbalancing:SetWebAcl",
    "iam:GetServerCertificate",
    "iam:ListServerCertificates",
    "shield:CreateProtection",
    "shield:DeleteProtection",
    "shield:DescribeProtection",
    "shield:GetSubscriptionState",
    "waf-regional:AssociateWebACL",
    "waf-regional:DisassociateWebACL",
    "waf-regional:GetWebACL",
    "waf-regional:GetWebACLForResource",
    "wafv2:AssociateWebACL",
    "wafv2:DisassociateWebACL",
    "wafv2:GetWebACL",
    "wafv2:GetWebACLForResource",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeTrustStores",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_things_can_be_changed() {
        let statements = statements("aws");
        let statements = statements.as_array().unwrap();
        let changing = statements.iter().find(|statement| statement["Action"][0] == "ec2:DeleteSecurityGroup").unwrap();
        assert_eq!(changing["Condition"], json!({ "Null": { "aws:ResourceTag/elbv2.k8s.aws/cluster": "false" } }));
        assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"));
    }

    #[test]
    fn only_its_own_service_linked_role_can_be_made() {
        let statements = statements("aws");
        let statements = statements.as_array().unwrap();
        let makes = |statement: &&Json| statement["Action"].to_string().contains("iam:CreateServiceLinkedRole");
        let [statement] = statements.iter().filter(makes).collect::<Vec<_>>()[..] else { panic!("{statements:?}") };
        let service = &statement["Condition"]["StringEquals"]["iam:AWSServiceName"];
        assert_eq!(*service, json!("elasticloadbalancing.amazonaws.com"));
    }

    #[test]
    fn permissions_of_newer_controllers() {
        let all = statements("aws").to_string();
        for action in ["ec2:GetSecurityGroupsForVpc", "ec2:DescribeIpamPools", "elasticloadbalancing:SetRulePriorities"]
        {
            assert!(all.contains(&format!("{action:?}")), "{action}");
        }
    }
}
