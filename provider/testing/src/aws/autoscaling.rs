//! Auto Scaling.

use std::collections::BTreeMap;

use super::State;
use super::query::elements;
use super::request::{Answer, Request, refused};

/// The name of the Auto Scaling Group.
pub const NAME: &str = "eks-build-1";

/// The Auto Scaling Group of the node group, which exists as long as the node group.
#[derive(Clone, Debug, Default)]
pub struct AutoScalingGroup {
    /// Values of tags by key, and whether they are propagated to instances.
    pub tags: BTreeMap<String, (String, bool)>,
    pub az_rebalance_is_suspended: bool,
}

impl AutoScalingGroup {
    /// A new group with the tags that EKS sets.
    pub(super) fn of_node_group() -> Self {
        let keys = ["eks:cluster-name", "eks:nodegroup-name", "k8s.io/cluster-autoscaler/enabled"];
        Self { tags: keys.map(|key| (key.to_owned(), ("x".to_owned(), true))).into(), ..Self::default() }
    }

    fn describe(&self) -> String {
        let tags = self.tags.iter().map(|(key, (value, at_launch))| {
            format!("<Key>{key}</Key><Value>{value}</Value><PropagateAtLaunch>{at_launch}</PropagateAtLaunch>")
        });
        let tags = elements("member", tags);
        let process = self.az_rebalance_is_suspended.then_some("<ProcessName>AZRebalance</ProcessName>");
        let suspended = elements("member", process);
        format!(
            "<member><AutoScalingGroupName>{NAME}</AutoScalingGroupName><Tags>{tags}</Tags>\
             <SuspendedProcesses>{suspended}</SuspendedProcesses></member>"
        )
    }
}

impl State {
    pub(super) fn autoscaling(&mut self, Request { action, parameters, .. }: &Request) -> Answer {
        let exists = !self.eks.node_group.is_null();
        let group = &mut self.autoscaling;
        match action.as_str() {
            "DescribeAutoScalingGroups" => {
                let groups = if exists { group.describe() } else { String::new() };
                return Ok(format!("<AutoScalingGroups>{groups}</AutoScalingGroups>"));
            }
            _ if !exists => return refused(400, "ValidationError", "AutoScalingGroup name not found - null"),
            "CreateOrUpdateTags" => {
                let at_launch = parameters.list("Tags.member", ".PropagateAtLaunch");
                let values = parameters.list("Tags.member", ".Value").into_iter().zip(at_launch);
                let values = values.map(|(value, at_launch)| (value, at_launch == "true"));
                group.tags.extend(parameters.list("Tags.member", ".Key").into_iter().zip(values));
            }
            "DeleteTags" => {
                let keys = parameters.list("Tags.member", ".Key");
                group.tags.retain(|key, _| !keys.contains(key));
            }
            "SuspendProcesses" | "ResumeProcesses" => {
                assert_eq!(parameters.list("ScalingProcesses.member", ""), ["AZRebalance"]);
                group.az_rebalance_is_suspended = action == "SuspendProcesses";
            }
            other => unreachable!("{other}"),
        }
        Ok(String::new())
    }
}
