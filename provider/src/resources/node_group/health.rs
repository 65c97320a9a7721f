//! Health issues that EKS reports for a node group, with hints to resolve them.

use std::fmt;

use aws_sdk_eks::types::{Issue, NodegroupIssueCode as Code, Update};

/// The issues of a node group, or the errors of an update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Issues(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    code: String,
    message: String,
    resources: Vec<String>,
    hint: Option<&'static str>,
}

impl Issues {
    pub(super) fn of(group: &aws_sdk_eks::types::Nodegroup) -> Self {
        let issues = group.health.iter().flat_map(|health| health.issues());
        let line = |issue: &Issue| Line {
            code: issue.code.as_ref().map_or("Unknown", |code| code.as_str()).to_owned(),
            message: issue.message.clone().unwrap_or_default(),
            resources: issue.resource_ids().to_vec(),
            hint: issue.code.as_ref().and_then(|code| hint(code, issue.message().unwrap_or_default())),
        };
        Self(issues.map(line).collect())
    }

    pub(super) fn of_update(update: &Update) -> Self {
        let line = |error: &aws_sdk_eks::types::ErrorDetail| {
            let code = error.error_code.as_ref().map_or("Unknown", |code| code.as_str());
            Line {
                code: code.to_owned(),
                message: error.error_message.clone().unwrap_or_default(),
                resources: error.resource_ids().to_vec(),
                hint: hint(&Code::from(code), error.error_message().unwrap_or_default()),
            }
        };
        Self(update.errors().iter().map(line).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("EKS does not report a reason");
        }
        for (index, Line { code, message, resources, hint }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            f.write_str(code)?;
            if !resources.is_empty() {
                write!(f, " ({})", resources.join(", "))?;
            }
            if !message.is_empty() {
                write!(f, ": {}", message.trim_end_matches('.'))?;
            }
            if let Some(hint) = hint {
                write!(f, ". {hint}")?;
            }
        }
        Ok(())
    }
}

/// Hint for an issue. A missing service-linked role is only identified by the message.
fn hint(code: &Code, message: &str) -> Option<&'static str> {
    if message.contains("ServiceLinkedRoleCreationNotPermitted") || message.contains("AWSServiceRoleForEC2Spot") {
        return Some(
            "The account does not have a service-linked role for Spot yet, and the role could not be created: run \
             \"aws iam create-service-linked-role --aws-service-name spot.amazonaws.com\" once",
        );
    }
    if message.contains("unable to assume the service-linked role") {
        return Some(
            "EKS creates its service-linked role AWSServiceRoleForAmazonEKSNodegroup together with the \
             first node group of an account, and could not use the role yet: apply again",
        );
    }
    Some(match code {
        Code::AsgInstanceLaunchFailures => {
            "EC2 could not launch instances: for SPOT, specify more instance types or zones, or set min_size and \
             desired_size to 0, so that the create does not launch instances"
        }
        Code::NodeCreationFailure => {
            "Instances were launched, but did not join the cluster: check that the subnets can reach the cluster's \
             endpoint, ECR and S3, and that the cluster has an access entry for the role"
        }
        Code::Ec2SubnetNotFound => {
            "A subnet was deleted: replace it in subnet_ids, or create a subnet in its availability zone"
        }
        Code::Ec2SubnetInvalidConfiguration => {
            "A public subnet does not assign public IPv4 addresses: enable map_public_ip_on_launch, or use private \
             subnets"
        }
        Code::InsufficientFreeAddresses => "A subnet has no free IP addresses: use another or a larger subnet",
        Code::IamNodeRoleNotFound => "The role was deleted or recreated: the group must be replaced",
        Code::IamInstanceProfileNotFound => {
            "The instance profile that EKS created was deleted: the group must be \
            replaced"
        }
        Code::AccessDenied => {
            "EKS or the nodes do not have the required permissions: check the policies of the role, its permissions \
             boundary, and the access entries of the cluster"
        }
        Code::InstanceLimitExceeded => {
            "The vCPU quota of the account is reached: request an increase, or reduce the \
            sizes"
        }
        Code::Ec2InstanceTypeDoesNotExist => {
            "An instance type is not available in the region: remove it from \
            instance_types"
        }
        Code::Ec2LaunchTemplateNotFound
        | Code::Ec2LaunchTemplateVersionMismatch
        | Code::SourceEc2LaunchTemplateNotFound => {
            "The launch template, or a version of it, was changed or deleted outside of EKS: the group must be replaced"
        }
        Code::AutoScalingGroupNotFound => "The Auto Scaling Group was deleted: the group must be replaced",
        Code::AutoScalingGroupOptInRequired => {
            "The account is not enabled for EC2 Auto Scaling in this region: complete the registration of \
             the account, or contact AWS Support"
        }
        Code::Ec2SecurityGroupDeletionFailure => {
            "The security group for remote access is still in use: delete the network interfaces or rules that use it, \
             then destroy again"
        }
        Code::ClusterUnreachable => {
            "EKS or its nodes cannot reach the API of the cluster: check its endpoint and security groups"
        }
        Code::PodEvictionFailure => {
            "Pods were not evicted in time, possibly because of a PodDisruptionBudget: change or delete it, or set \
             force_update_version"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_eks::types::{Nodegroup, NodegroupHealth};

    use super::*;

    #[test]
    fn code_resource_message_and_hint() {
        let launch = Issue::builder()
            .code(Code::InstanceLimitExceeded)
            .message("You have requested more vCPU capacity than your limit of 32.")
            .resource_ids("eks-build-1")
            .build();
        let other = Issue::builder().code(Code::InternalFailure).message("Oops").build();
        let group = |issues: Vec<Issue>| {
            Nodegroup::builder().health(NodegroupHealth::builder().set_issues(Some(issues)).build()).build()
        };
        assert_eq!(
            Issues::of(&group(vec![launch, other])).to_string(),
            "InstanceLimitExceeded (eks-build-1): You have requested more vCPU capacity than your limit of 32. The \
             vCPU quota of the account is reached: request an increase, or reduce the sizes; InternalFailure: Oops"
        );
        assert_eq!(Issues::of(&group(vec![])).to_string(), "EKS does not report a reason");
    }

    #[test]
    fn service_linked_roles_are_recognised_by_the_message() {
        let text = |code: Code, message: &str| {
            let issue = Issue::builder().code(code).message(message).build();
            let health = NodegroupHealth::builder().issues(issue).build();
            Issues::of(&Nodegroup::builder().health(health).build()).to_string()
        };
        let spot = "Could not launch Spot Instances. AuthFailure.ServiceLinkedRoleCreationNotPermitted - The provided \
                    credentials do not have permission to create the service-linked role for EC2 Spot Instances.";
        let message = text(Code::AsgInstanceLaunchFailures, spot);
        assert!(message.contains("--aws-service-name spot.amazonaws.com"), "{message}");
        let first = "Amazon EKS Nodegroups was unable to assume the service-linked role.";
        let message = text(Code::AccessDenied, first);
        assert!(message.contains("apply again") && !message.contains("policies"), "{message}");
    }
}
